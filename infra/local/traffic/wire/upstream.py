"""The proxy's side of a connection to an instance."""

import asyncio
from typing import Protocol

import httptools

from infra.local.traffic.wire.request import Fields

_MOST = 512 << 10  # bytes of a head, or between two pieces of a body


class Receiver(Protocol):
    """Whoever waits for a response; called from the event loop as it arrives."""

    def hint(self, status: int, fields: Fields) -> None:
        """The head of an answer in advance: one of 1xx."""

    def head(self, status: int, reason: bytes, fields: Fields) -> bool:
        """The head; whether a body may follow it."""

    def body(self, chunk: bytes) -> None:
        """A piece of the body."""

    def end(self) -> None:
        """The response is complete."""

    def lost(self) -> None:
        """The connection ended, or what came was no HTTP."""

    def flush(self) -> None:
        """All that has arrived so far was told."""

    def hold(self, *, full: bool) -> None:
        """The instance takes no more at the moment, or again."""


class Upstream(asyncio.Protocol):
    """One connection to an instance, for one request after the other.

    `kept_since` is when it began to wait for the next one, in the loop's time; `reused` is whether it has.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.kept_since = 0.0
        self.reused = False
        self.closed = False
        self._receiver: Receiver | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._fields: Fields = []
        self._reason = b""
        self._status = 0
        self._keep_alive = False
        self._tunnel = False
        self._extra = 0  # bytes since the last one of a body
        self._pool: list[Upstream] | None = None

    @property
    def reusable(self) -> bool:
        """Whether one more request may follow the last one's answer."""
        return not self.closed and self._receiver is None and self._keep_alive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type checker
        self.transport = transport

    def ask(self, receiver: Receiver, head: bytes) -> None:
        """Send a request's head; `receiver` hears of the response."""
        self._receiver, self._pool = receiver, None
        self._fields, self._status, self._keep_alive, self._extra = [], 0, False, 0
        self.transport.write(head)

    def wait(self, pool: "list[Upstream]") -> None:
        """Wait in `pool` for the next request."""
        self.kept_since, self._pool = asyncio.get_running_loop().time(), pool
        pool.append(self)

    def close(self) -> None:
        """End the connection at once; what a tunnel has still to say is said."""
        self.closed, self._receiver = True, None
        if self._tunnel:
            self.transport.resume_reading()
            self.transport.close()
        else:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        receiver = self._receiver
        if receiver is None:
            self.close()  # it speaks without being asked
            return
        if self._tunnel:
            receiver.body(data)
            receiver.flush()
            return
        try:
            self._extra += len(data)
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._tunnel = True
            if rest := data[stop.args[0] :]:
                receiver.body(rest)
        except httptools.HttpParserError:
            self._lose()
            return
        if self._extra > _MOST:
            self._lose()
            return
        receiver.flush()

    def eof_received(self) -> None:
        """Called by the event loop; the transport closes after it."""
        # A body without a length ends here.
        if self._receiver is not None and self._ends_with_connection():
            self._finish()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Called by the event loop."""
        self.closed = True
        if self._pool is not None and self in self._pool:
            self._pool.remove(self)
        self._lose()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        if self._receiver is not None:
            self._receiver.hold(full=True)

    def resume_writing(self) -> None:
        """Called by the event loop."""
        if self._receiver is not None:
            self._receiver.hold(full=False)

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self._receiver is None:
            self.closed = True  # a second answer to one question: the next question would get it
        self._fields, self._reason, self._status = [], b"", 0

    def on_status(self, reason: bytes) -> None:
        """Called by the parser."""
        self._reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser; after a body they are its trailers, which go no further."""
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        status = self._status = self._parser.get_status_code()
        receiver = self._receiver
        if receiver is None:
            return
        if status < 200 and status != 101:
            receiver.hint(status, self._fields)
            return
        self._keep_alive = self._parser.should_keep_alive()
        if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in self._fields):
            self._lose()  # a body in a coding that a client might not know of
        elif not receiver.head(status, self._reason, self._fields):
            # An answer to HEAD: the parser waits for a body. Should one come, it must not be the next answer.
            self._keep_alive = False
            self._finish()

    def on_body(self, chunk: bytes) -> None:
        """Called by the parser."""
        self._extra = 0
        if self._receiver is not None:
            self._receiver.body(chunk)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._status >= 200:
            self._finish()

    def _ends_with_connection(self) -> bool:
        names = {name for name, _ in self._fields}
        return self._status >= 200 and not names & {b"content-length", b"transfer-encoding"}

    def _finish(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.end()
            receiver.flush()

    def _lose(self) -> None:
        receiver, self._receiver = self._receiver, None
        self.closed = True
        self.transport.abort()
        if receiver is not None:
            receiver.lost()
