"""One network for all instances: each has an address of its own on it and reaches nobody but its middle.

The middle is a network namespace of this program's: there listens the metadata server, there name servers
answer, and what goes to this cloud or to the outside is handed on from there by this process (no packet is
ever routed, so nothing of the host's own network is changed).
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import anyio.to_thread

from ci.engine.sandbox import Hub
from ci.engine.sandbox.network import visit
from infra.local.runtime.metadata import Connection, Metadata
from infra.local.runtime.network.forward import Half, forward
from infra.local.runtime.network.middle import middle
from infra.local.runtime.network.names import CLOUD, METADATA, Names

#: Ports of the outside that instances reach, where this machine does: there is one listener for each, so
#: they are a choice. SSH, mail, DNS over TCP and TLS, the web, and the usual databases and brokers.
OUTWARD = (
    22,
    25,
    53,
    80,
    443,
    465,
    587,
    853,
    3306,
    3307,
    5432,
    5433,
    5671,
    5672,
    6379,
    6380,
    8080,
    8443,
    9092,
    27017,
)

_DNS = 53
_WEB = 80
_BATCH = 16  # sockets made in one visit: what costs is the visit's thread
_BACKLOG = 256
_IP_TRANSPARENT = 19  # <linux/in.h>; see ip(7)


@dataclass(slots=True)
class Plug:
    """One container's place on the network; `namespace` keeps its own network there until unplug()."""

    network: "Network"
    address: str
    namespace: int
    plugged: bool = True

    async def dial(self, port: int) -> socket.socket:
        """A new connection to a port of the container's, non-blocking. Raises OSError."""
        if not self.plugged:
            raise ConnectionRefusedError("the container has ended")
        return await self.network.dial(self.address, port)

    def unplug(self) -> None:
        """Give the place up; a second time does nothing."""
        if self.plugged:
            self.plugged = False
            os.close(self.namespace)
            self.network.forget(self.address)


@dataclass(slots=True)
class Network:
    """The network, while `open` is; `outward` are the ports of the outside that can be reached."""

    outward: Iterable[int] = OUTWARD
    _hub: Hub | None = None
    _who: dict[str, Metadata] = field(default_factory=dict)
    _local: dict[int, int] = field(default_factory=dict)
    _servers: dict[int, asyncio.Server] = field(default_factory=dict)
    _connecting: set[asyncio.Task[None]] = field(default_factory=set)
    _spare: deque[socket.socket] = field(default_factory=deque)
    _addresses: "count[int]" = field(default_factory=lambda: count(256))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have it while the block is open.

        Raises SandboxUnavailable when the kernel has no bridges, or does not let us.
        """
        self._hub = await anyio.to_thread.run_sync(middle)
        names = Names()
        loop = asyncio.get_running_loop()
        try:
            asked = await self._bound(_DNS, socket.SOCK_DGRAM)
            await loop.create_datagram_endpoint(lambda: names, sock=asked)
            for port in {_WEB, *self.outward}:
                await self._listen(port)
            yield
        finally:
            names.close()
            for task in self._connecting:
                task.cancel()
            for server in self._servers.values():
                server.close()
            self._servers.clear()
            while self._spare:
                self._spare.popleft().close()
            self._hub.close()
            self._hub = None

    async def publish(self, port: int, inner: int = 0) -> None:
        """Let containers reach 127.0.0.1:`port` of this machine by names under .localhost.

        With `inner` they get to that port instead: one for requests from within. Raises OSError.
        """
        self._local[port] = inner or port
        if port not in self._servers:
            await self._listen(port)

    async def plug(self, pid: int, metadata: Metadata) -> Plug:
        """Connect the network of a process, to which the metadata server then says `metadata`.

        Raises OSError when the process is gone.
        """
        plug = Plug(self, self._address(), os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        self._who[plug.address] = metadata
        try:
            await anyio.to_thread.run_sync(self._at_work.connect, pid, plug.address, METADATA)
        except BaseException:
            plug.unplug()
            raise
        return plug

    def forget(self, address: str) -> None:
        """Answer no more to what has this address."""
        self._who.pop(address, None)

    async def dial(self, address: str, port: int) -> socket.socket:
        """A new connection to an address of the network, non-blocking. Raises OSError."""
        if not self._spare:
            self._spare.extend(await anyio.to_thread.run_sync(self._stock))
        made = self._spare.popleft()
        try:
            await asyncio.get_running_loop().sock_connect(made, (address, port))
        except BaseException:
            made.close()
            raise
        return made

    @property
    def _at_work(self) -> Hub:
        if self._hub is None:
            raise RuntimeError("the network is not open")
        return self._hub

    def _address(self) -> str:
        """The next one; none comes again soon, as neighbours remember who had it."""
        while True:
            high, low = divmod(next(self._addresses) % 0xFF00, 256)
            if high not in {0, 169} and 0 < low < 255:
                return f"169.254.{high}.{low}"

    def _made(self, number: int, kind: int) -> list[socket.socket]:
        """Sockets of the middle's network. One belongs where it was made; using it can be done anywhere."""
        made: list[socket.socket] = []

        def work() -> None:
            for _ in range(number):
                # Without its protocol said, asyncio does not know TCP, and leaves Nagle's algorithm on.
                protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
                each = socket.socket(socket.AF_INET, kind, protocol)
                each.settimeout(0)
                made.append(each)

        visit(self._at_work.namespace, work)
        return made

    def _stock(self) -> list[socket.socket]:
        return self._made(_BATCH, socket.SOCK_STREAM)

    async def _bound(self, port: int, kind: int) -> socket.socket:
        (made,) = await anyio.to_thread.run_sync(self._made, 1, kind)
        try:
            made.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
            made.bind(("0.0.0.0" if kind == socket.SOCK_STREAM else METADATA, port))  # noqa: S104  of no host
        except OSError:
            made.close()
            raise
        return made

    async def _listen(self, port: int) -> None:
        listener = await self._bound(port, socket.SOCK_STREAM)
        self._servers[port] = await asyncio.get_running_loop().create_server(
            lambda: _Arrival(self.arrived), sock=listener, backlog=_BACKLOG
        )

    def arrived(self, transport: asyncio.Transport) -> None:
        """Hand a connection that a container made over to whoever it is meant for."""
        (source, _), (target, port) = (transport.get_extra_info(end) for end in ("peername", "sockname"))
        if (target, port) == (METADATA, _WEB) and source in self._who:
            _hand_over(transport, Connection(self._who[source]))
        elif target == CLOUD and port in self._local:
            self._forward(transport, "127.0.0.1", self._local[port])
        elif target not in {METADATA, CLOUD} and port in self.outward:
            self._forward(transport, target, port)
        else:
            transport.abort()

    def _forward(self, transport: asyncio.Transport, host: str, port: int) -> None:
        near = Half()
        _hand_over(transport, near)
        transport.pause_reading()
        task = asyncio.get_running_loop().create_task(forward(near, host, port))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)


class _Arrival(asyncio.Protocol):
    """A connection that has come to the middle."""

    def __init__(self, arrived: Callable[[asyncio.Transport], None]) -> None:
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        if isinstance(transport, asyncio.Transport):
            self._arrived(transport)


def _hand_over(transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
