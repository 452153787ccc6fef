"""The network of an instance: the metadata server's address in it, and connections to its ports.

It has no way out: an instance reaches itself and the metadata server, and nothing else.
"""

import asyncio
import socket
import struct
from collections import deque

import anyio.to_thread

from ci.engine.sandbox.network import visit

METADATA = "169.254.169.254"
_BATCH = 16  # sockets made in one visit: what costs is the visit's thread
_BACKLOG = 64

# From <linux/rtnetlink.h>, <linux/netlink.h> and <linux/if_addr.h>.
_NEWADDR, _ERROR = 20, 2
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_LOCAL = 2


class Inside:
    """The network namespace of the process `pid`; `port` is where its container listens."""

    def __init__(self, pid: int, port: int) -> None:
        self._namespace = f"/proc/{pid}/ns/net"
        self._port = port
        self._spare: deque[socket.socket] = deque()

    async def open(self) -> socket.socket:
        """Give the network the metadata server's address; a socket that listens there. Raises OSError."""
        return await anyio.to_thread.run_sync(self._open)

    async def dial(self, port: int | None = None) -> socket.socket:
        """A new connection to a port of the container's, non-blocking. Raises OSError."""
        if not self._spare:
            await anyio.to_thread.run_sync(self._stock)
        made = self._spare.popleft()
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port or self._port))
        except ConnectionRefusedError:
            self._spare.append(made)  # still as good as new
            raise
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Give up what was not used."""
        while self._spare:
            self._spare.popleft().close()

    def _open(self) -> socket.socket:
        listeners: list[socket.socket] = []

        def work() -> None:
            _add_address("lo", METADATA)
            listener = _tcp()
            listener.bind((METADATA, 80))
            listener.listen(_BACKLOG)
            listeners.append(listener)
            self._fill()

        visit(self._namespace, work)
        return listeners[0]

    def _stock(self) -> None:
        visit(self._namespace, self._fill)

    def _fill(self) -> None:
        # A socket belongs to the network it was made in; connecting it can be done from anywhere.
        self._spare.extend(_tcp() for _ in range(_BATCH))


def _tcp() -> socket.socket:
    # Without its protocol said, asyncio does not know that this is TCP, and leaves Nagle's algorithm on.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.settimeout(0)
    return made


def _add_address(name: str, address: str) -> None:
    """Give an interface of the calling thread's network one more address (rtnetlink(7)). Raises OSError."""
    packed = socket.inet_aton(address)
    row = struct.pack("BBBBI", socket.AF_INET, 32, 0, 0, socket.if_nametoindex(name))
    body = row + struct.pack("HH", 4 + len(packed), _LOCAL) + packed
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        channel.send(struct.pack("IHHII", 16 + len(body), _NEWADDR, _REQUEST | _ACK | _CREATE, 1, 0) + body)
        answer = channel.recv(1 << 16)
    (kind,), (code,) = struct.unpack_from("H", answer, 4), struct.unpack_from("i", answer, 16)
    if kind == _ERROR and code:
        raise OSError(-code, f"cannot give {name} the address {address}")
