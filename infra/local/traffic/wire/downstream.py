"""The proxy's side of a connection to a client: its requests answered one after the other."""

import asyncio
import logging
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from socket import IPPROTO_TCP, SO_LINGER, SOL_SOCKET, TCP_NODELAY
from typing import Protocol

from infra.local.traffic.wire.arrivals import Arrivals
from infra.local.traffic.wire.limits import Limits
from infra.local.traffic.wire.request import Request

Handler = Callable[[Request, "Downstream"], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_BUFFER = 256 << 10  # bytes of a body that wait for an instance before the client has to
_RESET = struct.pack("ii", 1, 0)  # as socket(7) has it: no lingering at all, but a reset
_LINGER = 2.0  # seconds in which a client that is still sending may read why it need not


class Way(Protocol):
    """What leads on from a connection while a request is served."""

    def throttle(self, *, full: bool) -> None:
        """The client takes no more at the moment, or again."""

    def relay(self, data: bytes) -> None:
        """Bytes for the instance, once the connection is a tunnel."""


class Downstream(asyncio.Protocol):
    """One client's connection. Whoever made it calls `expire` about every second.

    `connections` has it while it is open; `internal` says that it came in from within the cloud.
    """

    transport: asyncio.Transport

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        connections: "dict[Downstream, None]",
        *,
        internal: bool = False,
    ) -> None:
        self.peer = ""
        self.internal = internal
        self._way: Way | None = None
        self._handler = handler
        self._limits = limits
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._arrivals = Arrivals(limits, self._take)
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._out: list[bytes] = []
        self._tunnel = False
        self._deaf = False  # nothing more is wanted from this client
        self._upstream_full = False
        self._full_since: float | None = None
        self._heard = self._loop.time()
        self._deadline = self._heard + limits.head_time

    @property
    def serving(self) -> asyncio.Task[None] | None:
        """The task that answers its requests, while it has any."""
        return self._task

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type checker
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.peer = (transport.get_extra_info("peername") or ("unknown",))[0]
        if len(self._connections) >= self._limits.connections:
            self._make_room()
        if not transport.is_closing():
            self._connections[self] = None

    def connection_lost(self, _exc: Exception | None) -> None:
        """Called by the event loop; what the client asked for is given up."""
        self._deaf = True
        self._connections.pop(self, None)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._deaf:
            return
        self._heard = self._loop.time()
        if self._tunnel:
            if self._way is not None:
                self._way.relay(data)
            return
        self._arrivals.feed(data)
        self._regulate()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self._full_since = self._loop.time()
        if self._way is not None:
            self._way.throttle(full=True)

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._full_since = None
        if self._way is not None:
            self._way.throttle(full=False)

    def lead(self, way: Way | None) -> None:
        """From here on this is where the connection leads, or nowhere."""
        self._way = way
        if way is not None and self._full_since is not None:
            way.throttle(full=True)  # it has not taken the response before this one

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
        if self._way is not None and self._arrivals.rest:
            self._way.relay(self._arrivals.rest)
        self._regulate()

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def reset(self) -> None:
        """End the connection with an error, so that a client can't take what was sent for the whole of it."""
        self.flush()
        if not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
        self.transport.abort()

    def expire(self, now: float) -> None:
        """End the connection if its client takes too long over something; `now` is the loop's time."""
        stall = self._limits.stall_time
        if self._full_since is not None and now - self._full_since > stall:
            self.abort()
        elif self._task is not None:
            current = self._waiting[0] if self._waiting else None
            sending = current is not None and not (current.complete or self._paused())
            if sending and not self._tunnel and now - self._heard > stall:
                self.abort()
        elif now > self._deadline:
            if self._arrivals.within_head and not self._deaf:
                self._arrivals.expire()
            else:
                self.abort()

    def close(self) -> None:
        """End the connection when what was written is sent."""
        self._deaf = True
        self.flush()
        self.transport.close()

    def _make_room(self) -> None:
        """End the connection that has been here longest and asks for nothing; or this one."""
        idle = next((each for each in self._connections if each.serving is None), self)
        self._connections.pop(idle, None)
        idle.abort()

    def _take(self, request: Request) -> None:
        if request.refusal is not None:
            self._deaf = True
        self._waiting.append(request)
        if self._task is None:
            self._task = self._loop.create_task(self._serve())

    async def _serve(self) -> None:
        while self._waiting:
            request = self._waiting[0]
            try:
                await self._handler(request, self)
            except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # this client's alone
                _LOG.exception("%s of %s", request.method.decode(errors="replace"), request.host)
                self.abort()
                return
            self._waiting.popleft()
            if self._tunnel or not (request.keep_alive and request.complete):
                self._end(request)
                return
            self._regulate()
        self._task = None
        within = self._arrivals.within_head
        self._deadline = self._loop.time() + (self._limits.head_time if within else self._limits.idle_time)

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
        if self._deaf:
            return False
        if self._tunnel:
            return self._upstream_full
        buffered = sum(len(chunk) for chunk in self._waiting[-1].body) if self._waiting else 0
        return self._upstream_full or self._arrivals.ended or len(self._waiting) > 1 or buffered > _BUFFER

    def _regulate(self) -> None:
        if self.transport.is_closing():
            return
        if self._paused():
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
