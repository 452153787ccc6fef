"""Sockets in another process's network: a thread visits its namespace, the socket stays behind."""

import socket
import threading
from collections.abc import Callable

import anyio
import anyio.to_thread
from anyio.abc import SocketStream

from ci.engine.sandbox import kernel


def _visit(pid: int, make: Callable[[], socket.socket]) -> socket.socket:
    """Call ``make`` in a thread of its own that has entered the network namespace of ``pid``."""
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def run() -> None:
        try:
            kernel.enter_network(pid)
            made.append(make())
        except OSError as error:
            failed.append(error)

    # Not a pooled thread: it must end with its namespace, never run anybody else's work.
    thread = threading.Thread(target=run, name=f"network-of-{pid}", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


def _connected(pid: int, host: str, port: int) -> socket.socket:
    def make() -> socket.socket:
        return socket.create_connection((host, port), timeout=10)

    return _visit(pid, make)


def _listening(pid: int, host: str, port: int) -> socket.socket:
    def make() -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        return listener

    return _visit(pid, make)


async def connect_inside(pid: int, host: str, port: int) -> SocketStream:
    """A TCP connection made from inside the network of ``pid``.

    Raises:
        OSError: nothing listens there, or the process is gone.
    """
    made = await anyio.to_thread.run_sync(_connected, pid, host, port)
    made.settimeout(0)
    return await SocketStream.from_socket(made)


async def listen_inside(pid: int, host: str, port: int) -> socket.socket:
    """A TCP socket that listens inside the network of ``pid``.

    Raises:
        OSError: the address is taken, or the process is gone.
    """
    return await anyio.to_thread.run_sync(_listening, pid, host, port)


async def listens(pid: int, port: int) -> bool:
    """Whether something inside the network of ``pid`` accepts connections on a port."""
    try:
        stream = await connect_inside(pid, "127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True
