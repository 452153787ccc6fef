"""The proxy's side of a connection to a client: requests as they arrive, one answered after the other."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import httptools

from infra.local.traffic.limits import Limits
from infra.local.traffic.request import Refused, Request, judge

Handler = Callable[[Request, "Downstream"], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_BUFFER = 256 << 10  # bytes of a body that wait for an instance before the client has to
_LINGER = 2.0  # seconds in which a client that is still sending may read why it need not


class Way(Protocol):
    """What leads on from a connection while a request is served."""

    def throttle(self, *, full: bool) -> None:
        """The client takes no more at the moment, or again."""

    def relay(self, data: bytes) -> None:
        """Bytes for the instance, once the connection is a tunnel."""


class Downstream(asyncio.Protocol):  # pylint: disable=too-many-instance-attributes
    """One client's connection. Whoever made it calls `expire` about every second."""

    transport: asyncio.Transport

    def __init__(self, handler: Handler, limits: Limits, connections: "set[Downstream]") -> None:
        self.peer = ""
        self.way: Way | None = None
        self.early = b""  # what followed the head of a request for a tunnel
        self._handler = handler
        self._limits = limits
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._arriving: Request | None = None
        self._head = 0  # bytes of the head that is arriving
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._out: list[bytes] = []
        self._tunnel = False
        self._deaf = False  # nothing more is wanted from this client
        self._upstream_full = False
        self._full_since: float | None = None
        self._heard = self._loop.time()
        self._deadline: float | None = self._heard + limits.head_time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type checker
        self.transport = transport
        self.peer = (transport.get_extra_info("peername") or ("unknown",))[0]
        if len(self._connections) >= self._limits.connections:
            transport.abort()
            return
        self._connections.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Called by the event loop; what the client asked for is given up."""
        self._deaf = True
        self._connections.discard(self)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._deaf:
            return
        self._heard = self._loop.time()
        if self._tunnel:
            if self.way is not None:
                self.way.relay(data)
            return
        if self._parser_ended():
            self.early += data
            return
        self._feed(data)
        self._regulate()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self._full_since = self._loop.time()
        if self.way is not None:
            self.way.throttle(full=True)

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._full_since = None
        if self.way is not None:
            self.way.throttle(full=False)

    def write(self, data: bytes) -> None:
        """Send when all that arrived at once is there."""
        self._out.append(data)

    def flush(self) -> None:
        """Send now."""
        if self._out and not self.transport.is_closing():
            self.transport.write(b"".join(self._out))
        self._out.clear()

    def hold(self, *, full: bool) -> None:
        """Take no more from the client for a while, or again."""
        self._upstream_full = full
        self._regulate()

    def tunnel(self) -> None:
        """From here on, hand on bytes as they come."""
        self._tunnel = True
        early, self.early = self.early, b""
        if early and self.way is not None:
            self.way.relay(early)
        self._regulate()

    def expire(self, now: float) -> None:
        """End the connection if its client takes too long over something; `now` is the loop's time."""
        stall = self._limits.stall_time
        if self._full_since is not None and now - self._full_since > stall:
            self.transport.abort()
        elif self._task is not None:
            current = self._waiting[0] if self._waiting else None
            sending = current is not None and not (current.complete or self._paused())
            if sending and not self._tunnel and now - self._heard > stall:
                self.transport.abort()
        elif self._deadline is not None and now > self._deadline:
            if self._head and not self._deaf:
                self._spoil(Refused(408, "a head that took too long"))
            else:
                self.transport.abort()

    def close(self) -> None:
        """End the connection when what was written is sent."""
        self._deaf = True
        self.flush()
        self.transport.close()

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._arriving = Request()

    def on_url(self, part: bytes) -> None:
        """Called by the parser."""
        if self._arriving is not None:
            self._arriving.target += part
            self._head += len(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser; fields after the body are counted and dropped."""
        self._head += len(name) + len(value) + 4
        request = self._arriving
        if request is not None and not (self._waiting and self._waiting[-1] is request):
            request.fields.append((name.lower(), value))
        if request is not None and len(request.fields) > self._limits.fields:
            self._head += self._limits.head

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        request = self._arriving
        if request is None or self._deaf:
            return
        request.method, request.version = self._parser.get_method(), self._parser.get_http_version()
        try:
            judge(request)
            if self._head > self._limits.head:
                raise Refused(431, "a head that is too large")  # noqa: TRY301
            if (request.length or 0) > self._limits.body:
                raise Refused(413, "a body that is too large")  # noqa: TRY301
        except Refused as refusal:
            self._spoil(refusal)
            return
        self._head = 0
        self._take(request)

    def on_body(self, chunk: bytes) -> None:
        """Called by the parser."""
        request = self._arriving
        if request is None or self._deaf:
            return
        request.received += len(chunk)
        if request.received > self._limits.body:
            self._spoil(Refused(413, "a body that is too large"))
        elif request.on_body is not None:
            request.on_body(chunk)
        else:
            request.body.append(chunk)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        request, self._arriving, self._head = self._arriving, None, 0
        if request is None or self._deaf:
            return
        request.complete = True
        if request.on_end is not None:
            request.on_end()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._stopped(data[stop.args[0] :])
        except (httptools.HttpParserError, httptools.HttpParserCallbackError):
            self._spoil(Refused(400, "bytes that are no HTTP request"))
        else:
            arriving = self._arriving
            if arriving is not None and not (self._waiting and self._waiting[-1] is arriving):
                # A name or a value that goes on and on is with the parser still.
                self._head += len(data)
                if self._head > self._limits.head:
                    self._spoil(Refused(431, "a head that is too large"))

    def _stopped(self, rest: bytes) -> None:
        """The parser saw a wish for another protocol: followed for a websocket, ignored for others."""
        if self._parser_ended():
            self.early = rest
        elif not self._deaf:
            self._parser = httptools.HttpRequestParser(self)
            if rest:
                self._feed(rest)

    def _parser_ended(self) -> bool:
        return bool(self._waiting) and self._waiting[-1].websocket

    def _take(self, request: Request) -> None:
        self._waiting.append(request)
        if self._task is None:
            self._deadline = None
            self._task = self._loop.create_task(self._serve())

    def _spoil(self, refusal: Refused) -> None:
        """Nothing after this can be understood: say why, once those before are answered, and close."""
        if self._deaf:
            return
        self._deaf = True
        if self._waiting and self._waiting[-1] is self._arriving:
            if self._waiting[0] is self._arriving:
                self.transport.abort()  # half of it may be with an instance already
            else:
                self._arriving.refusal = refusal
        else:
            self._take(Request(keep_alive=False, refusal=refusal))

    async def _serve(self) -> None:
        while self._waiting:
            request = self._waiting[0]
            try:
                await self._handler(request, self)
            except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # this client's alone
                _LOG.exception("%s of %s", request.method.decode(errors="replace"), request.host)
                self.transport.abort()
                return
            self._waiting.popleft()
            if self._tunnel or not (request.keep_alive and request.complete):
                self._end(request)
                return
            self._regulate()
        self._task = None
        self._deadline = self._loop.time() + (
            self._limits.head_time if self._arriving is not None else self._limits.idle_time
        )

    def _end(self, request: Request) -> None:
        self._waiting.clear()
        if request.complete or self._tunnel:
            self.close()
            return
        # Closing while the client still sends would take the answer from it: RFC 9112, section 9.6.
        self._deaf, self._task = True, None
        self._deadline = self._loop.time() + _LINGER
        self.flush()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self._regulate()

    def _paused(self) -> bool:
        if self._tunnel or self._deaf:
            return self._upstream_full and not self._deaf
        buffered = sum(map(len, self._waiting[-1].body)) if self._waiting else 0
        upgrading = self._parser_ended()
        return self._upstream_full or upgrading or len(self._waiting) > 1 or buffered > _BUFFER

    def _regulate(self) -> None:
        if self.transport.is_closing():
            return
        if self._paused():
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
