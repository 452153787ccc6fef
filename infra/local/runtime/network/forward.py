"""Handing a connection's bytes on to another one, both ways, with back-pressure and half-closing."""

import asyncio
import socket
from typing import Self


class Half(asyncio.Protocol):
    """One end of a forwarded connection; what it hears is said at the `far` one, which it makes itself."""

    def __init__(self, other: Self | None = None) -> None:
        self.transport: asyncio.Transport | None = None
        self.heard_all = False
        self._other = other or type(self)(self)

    @property
    def far(self) -> Self:
        """The other end."""
        return self._other

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._other.transport is not None:
            self._other.transport.write(data)

    def eof_received(self) -> bool:
        """Called by the event loop."""
        self.heard_all = True
        if self._other.transport is not None:
            self._other.transport.write_eof()
        return not self._other.heard_all  # it may still have something to say

    def pause_writing(self) -> None:
        """Called by the event loop."""
        if self._other.transport is not None:
            self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Called by the event loop."""
        if self._other.transport is not None:
            self._other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self.transport = None
        if self._other.transport is not None:
            if exc is None:
                self._other.transport.close()
            else:
                self._other.transport.abort()


async def forward(near: Half, host: str, port: int) -> None:
    """Connect the far end of `near`, which is connected and has been paused; where that fails, cut it off."""
    try:
        await asyncio.get_running_loop().create_connection(lambda: near.far, host, port)
    except OSError:
        if near.transport is not None:
            near.transport.abort()
        return
    if near.transport is None:  # it gave up meanwhile
        if near.far.transport is not None:
            near.far.transport.abort()
        return
    near.transport.resume_reading()
