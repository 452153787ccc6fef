"""The proxy's side of a connection to an instance, and the connections that wait for their next request."""

import asyncio
import time
from collections import defaultdict
from typing import Protocol

import httptools

from infra.local.traffic.backend import Slot
from infra.local.traffic.request import Fields


class Receiver(Protocol):
    """Whoever waits for a response; called from the event loop as it arrives."""

    def head(self, status: int, reason: bytes, fields: Fields) -> bool:
        """The head; whether a body follows it."""

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
    """One connection to an instance, for one request after the other."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.used_at = 0.0
        self.reused = False
        self.closed = False
        self._receiver: Receiver | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._fields: Fields = []
        self._reason = b""
        self._status = 0
        self._keep_alive = False
        self._tunnel = False
        self._pool: list[Upstream] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type checker
        self.transport = transport

    def ask(self, receiver: Receiver, head: bytes) -> None:
        """Send a request's head; `receiver` hears of the response."""
        self._receiver = receiver
        self.transport.write(head)

    def keep(self, pool: "list[Upstream]") -> None:
        """Wait in `pool` for the next request, if the instance lets us; close otherwise."""
        if self.closed or self._receiver is not None or not self._keep_alive:
            self.close()
            return
        self.used_at, self._pool = time.monotonic(), pool
        pool.append(self)

    def close(self) -> None:
        """End the connection at once."""
        self.closed, self._receiver = True, None
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
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._tunnel = True
            if rest := data[stop.args[0] :]:
                receiver.body(rest)
        except httptools.HttpParserError:
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
        self._fields, self._reason, self._status = [], b"", 0

    def on_status(self, reason: bytes) -> None:
        """Called by the parser."""
        self._reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._status = self._parser.get_status_code()
        self._keep_alive = self._parser.should_keep_alive()
        if self._receiver is None or (self._status < 200 and self._status != 101):
            return
        if not self._receiver.head(self._status, self._reason, self._fields):
            # An answer to HEAD: the parser waits for a body that does not come.
            self._parser = httptools.HttpResponseParser(self)
            self._finish()

    def on_body(self, chunk: bytes) -> None:
        """Called by the parser."""
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


class Upstreams:
    """Connections that wait, by instance; those of an instance that ends remove themselves."""

    #: Servers close a connection that was idle for seconds; a shorter wait rarely meets that moment.
    fresh = 0.5

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[Upstream]] = defaultdict(list)

    async def get(self, slot: Slot, *, patient: bool, new: bool) -> Upstream:
        """A connection to a slot's instance: one that waits, unless `new`.

        `patient` accepts one that may turn out to be closed by the instance; otherwise it was used lately.
        Raises OSError.
        """
        waiting = self._waiting[slot.instance]
        if waiting and not new:
            last = waiting[-1]
            if patient or time.monotonic() - last.used_at < self.fresh:
                waiting.pop()
                last.reused = True
                return last
        connected = await slot.dial()
        try:
            _, made = await asyncio.get_running_loop().create_connection(Upstream, sock=connected)
        except BaseException:
            connected.close()
            raise
        return made

    def put(self, instance: str, upstream: Upstream) -> None:
        """Keep a connection whose exchange is over."""
        upstream.keep(self._waiting[instance])

    def close(self) -> None:
        """End all that wait."""
        for waiting in self._waiting.values():
            for upstream in list(waiting):
                upstream.close()
        self._waiting.clear()
