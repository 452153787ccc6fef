"""A network between containers: a bridge, and for each a cable from its own network to it (rtnetlink(7)).

It leads nowhere else: neither to the host nor out of it.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from ci.engine.sandbox import kernel

# From <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>, <linux/veth.h> and <linux/if.h>.
_NEWLINK, _NEWADDR, _ERROR = 16, 20, 2
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_IFNAME, _MASTER, _LINKINFO, _NET_NS_FD = 3, 10, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_UP = 0x1
_BRIDGE, _INNER = "hub", "eth0"
_PREFIX = 10


def _attribute(kind: int, data: bytes) -> bytes:
    length = 4 + len(data)
    return struct.pack("HH", length, kind) + data + bytes(-length % 4)


def _link(index: int = 0, *, up: bool) -> bytes:
    return struct.pack("BxHiII", socket.AF_UNSPEC, 0, index, _UP if up else 0, _UP if up else 0)


def _ask(kind: int, flags: int, body: bytes) -> None:
    """Send a request in the calling thread's network, and wait for the answer; OSError is the kernel's no."""
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)) as channel:
        channel.send(struct.pack("IHHII", 16 + len(body), kind, _REQUEST | _ACK | flags, 1, 0) + body)
        answer = channel.recv(1 << 16)
        (code,) = struct.unpack_from("i", answer, 16)
        if struct.unpack_from("H", answer, 4)[0] == _ERROR and code:
            raise OSError(-code, os.strerror(-code))


def _give_address(name: str, address: str) -> None:
    index, packed = socket.if_nametoindex(name), socket.inet_aton(address)
    row = struct.pack("BBBBI", socket.AF_INET, _PREFIX, 0, 0, index)
    _ask(_NEWADDR, _CREATE, row + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed))
    _ask(_NEWLINK, 0, _link(index, up=True))


def visit(namespace: str, work: Callable[[], None]) -> None:
    """Do ``work`` in a thread of its own that has entered a network namespace, given by its file. Blocking.

    Raises:
        OSError: it can't be entered, or the work failed so.
    """
    failed: list[OSError] = []

    def run() -> None:
        try:
            kernel.enter_network(namespace)
            work()
        except OSError as error:
            failed.append(error)

    # Not a pooled thread: it must end with its namespace, never run anybody else's work.
    thread = threading.Thread(target=run, name=f"visits-{namespace}", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


class Hub:
    """The network: it is there for as long as this object is not closed. Blocking throughout."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            OSError: the kernel has no bridges, or does not let us.
        """
        self._descriptor = -1
        self._cables = 0
        failed: list[OSError] = []

        def make() -> None:
            try:
                kernel.unshare(kernel.CLONE_NEWNET)
                info = _attribute(_INFO_KIND, b"bridge")
                name = _attribute(_IFNAME, _BRIDGE.encode() + b"\0")
                _ask(_NEWLINK, _CREATE | _EXCL, _link(up=True) + name + _attribute(_LINKINFO, info))
                own = f"/proc/self/task/{threading.get_native_id()}/ns/net"
                self._descriptor = os.open(own, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=make, name="hub", daemon=True)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    @property
    def namespace(self) -> str:
        """The file by which the bridge's own network namespace is entered."""
        return f"/proc/self/fd/{self._descriptor}"

    def connect(self, pid: int, address: str) -> None:
        """Give the network of process ``pid`` a cable to the bridge, and ``address`` on it.

        Raises:
            OSError: the process is gone, or has one already.
        """
        self._cables += 1
        outer = f"cable{self._cables}"
        namespace = f"/proc/{pid}/ns/net"
        inner = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)

        def lay() -> None:
            end = _attribute(_IFNAME, _INNER.encode() + b"\0") + _attribute(
                _NET_NS_FD, struct.pack("I", inner)
            )
            peer = _attribute(_VETH_PEER, _link(up=False) + end)
            info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, peer)
            bridge = struct.pack("I", socket.if_nametoindex(_BRIDGE))
            body = _attribute(_IFNAME, outer.encode() + b"\0") + _attribute(_MASTER, bridge)
            _ask(_NEWLINK, _CREATE | _EXCL, _link(up=True) + body + _attribute(_LINKINFO, info))

        try:
            visit(self.namespace, lay)
        finally:
            os.close(inner)
        visit(namespace, lambda: _give_address(_INNER, address))

    def take(self, address: str) -> None:
        """Have the bridge itself be reached at ``address`` too; OSError when it can't be."""
        with suppress(FileExistsError):  # from the last time
            visit(self.namespace, lambda: _give_address(_BRIDGE, address))

    def close(self) -> None:
        """Give it up; it goes with the last container that is connected to it."""
        os.close(self._descriptor)
