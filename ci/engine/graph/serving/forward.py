"""Carries connections between the host's network and a service's own."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import SocketListener, SocketStream, TaskGroup

from ci.engine import sandbox
from ci.engine.errors import EngineError
from ci.engine.graph.serving import datagrams

_CHUNK = 64 * 1024
_Dial = Callable[[], Awaitable[SocketStream]]


class Forwarder:
    """Listeners whose connections are carried on, for as long as their task group runs."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks

    def outward(self, pid: int, inner: str, address: str, port: int) -> None:
        """Make a port at ``inner`` in the network of process ``pid`` reachable at the host's ``address``.

        Raises:
            EngineError: the port is taken there, as with ``plain``.
        """
        self._listen(_listener(address, port), lambda: sandbox.connect_inside(pid, inner, port))

    def outward_datagrams(self, pid: int, inner: str, address: str, port: int) -> None:
        """The same for a UDP port."""
        listener = _listener(address, port, socket.SOCK_DGRAM)
        self._tasks.start_soon(datagrams.carry, listener, lambda: sandbox.datagrams_inside(pid, inner, port))

    async def inward(self, pid: int, address: str, port: int) -> None:
        """Make the host's ``address`` and port reachable, at the same address, inside ``pid``'s network."""
        await self.into(f"/proc/{pid}/ns/net", address, port, address, port)

    async def into(self, namespace: str, address: str, port: int, upstream: str, upstream_port: int) -> None:
        """Carry connections to an address inside a network on to the host's ``upstream``."""
        listener = await sandbox.listen_inside(namespace, address, port)
        self._listen(listener, lambda: anyio.connect_tcp(upstream, upstream_port))

    def plain(self, address: str, port: int, upstream: str, upstream_port: int) -> int:
        """Carry connections to ``address:port`` on to ``upstream``; returns the port, a free one for 0."""
        listener = _listener(address, port)
        number: int = listener.getsockname()[1]
        self._listen(listener, lambda: anyio.connect_tcp(upstream, upstream_port))
        return number

    def _listen(self, listener: socket.socket, dial: _Dial) -> None:
        self._tasks.start_soon(_serve, listener, dial)


def _listener(address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    listener = socket.socket(socket.AF_INET, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise EngineError(
            f"port {port} can't be opened at {address} ({error.strerror}): a program on this host "
            "listens on that port at every address, or ports below 1024 need more rights; use another port"
        ) from error
    if kind == socket.SOCK_STREAM:
        listener.listen(128)
    return listener


async def _serve(listener: socket.socket, dial: _Dial) -> None:
    listener.settimeout(0)
    server = await SocketListener.from_socket(listener)
    async with server:
        await server.serve(lambda stream: _carry(stream, dial))


async def _carry(near: SocketStream, dial: _Dial) -> None:
    async with near:
        try:
            far = await dial()
        except OSError:
            return
        async with far, anyio.create_task_group() as group:
            group.start_soon(_pump, near, far)
            group.start_soon(_pump, far, near)


async def _pump(source: SocketStream, target: SocketStream) -> None:
    try:
        while True:
            await target.send(await source.receive(_CHUNK))
    except anyio.EndOfStream:
        try:
            await target.send_eof()
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await source.aclose()
        await target.aclose()
