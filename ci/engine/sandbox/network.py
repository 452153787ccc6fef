"""A network between containers: a bridge, and for each a cable from its own network to it (rtnetlink(7)).

It leads nowhere else: neither to the host nor out of it.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

from ci.engine.sandbox import kernel

# From <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>, <linux/veth.h> and <linux/if.h>.
_NEWLINK, _GETLINK, _SETLINK, _NEWADDR, _NEWROUTE, _ERROR = 16, 18, 19, 20, 24, 2
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_ADDRESS, _IFNAME, _MASTER, _PROTINFO, _LINKINFO, _NET_NS_FD = 1, 3, 10, 12, 18, 28
_OPERSTATE, _OPERATIONAL = 16, 6
_NESTED, _BRIDGE_PORT_ISOLATED = 0x8000, 33
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OUT, _RTA_GATEWAY = 4, 5
_TABLE_MAIN, _BY_BOOT, _EVERYWHERE, _THIS_HOST, _UNICAST, _LOCAL = 254, 3, 0, 254, 1, 2
_UP = 0x1
_BRIDGE, _INNER = "hub", "eth0"
# Of its own, and one for good: otherwise it is the lowest of its cables', and containers that remember it
# send to nobody when that one goes.
_HARDWARE_ADDRESS = bytes.fromhex("020000000001")
_LOOKS, _PAUSE = 500, 0.002  # at most so many looks at a link, and seconds between two


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


def _default_route(scope: int, kind: int, attribute: bytes) -> None:
    row = struct.pack("BBBBBBBBI", socket.AF_INET, 0, 0, 0, _TABLE_MAIN, _BY_BOOT, scope, kind, 0)
    _ask(_NEWROUTE, _CREATE, row + attribute)


def _give_address(name: str, address: str, prefix: int) -> None:
    index, packed = socket.if_nametoindex(name), socket.inet_aton(address)
    row = struct.pack("BBBBI", socket.AF_INET, prefix, 0, 0, index)
    _ask(_NEWADDR, _CREATE, row + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed))
    _ask(_NEWLINK, 0, _link(index, up=True))


def _operational(name: str) -> bool:
    """Whether packets get through a link of the calling thread's network."""
    body = _link(socket.if_nametoindex(name), up=False)
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)) as channel:
        channel.send(struct.pack("IHHII", 16 + len(body), _GETLINK, _REQUEST, 1, 0) + body)
        answer = channel.recv(1 << 16)
    at = 32  # past the heads of the message and of the link
    while at + 4 <= len(answer):
        length, kind = struct.unpack_from("HH", answer, at)
        if kind == _OPERSTATE:
            return answer[at + 4] == _OPERATIONAL
        at += max(length + 3 & ~3, 4)
    return True


def _await_operation(name: str) -> None:
    """Wait until packets get through a link that has just come up.

    The kernel sees to that later (net/core/link_watch.c), and drops what is sent before; a sender tries again
    after a second. Newer kernels see to it when they are asked.
    """
    for _ in range(_LOOKS):
        if _operational(name):
            return
        time.sleep(_PAUSE)


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
    """The network: it is there for as long as this object is not closed. Blocking throughout.

    Addresses are of ``prefix`` bits. Of an ``isolated`` one, containers reach the bridge and not each other.
    """

    def __init__(self, prefix: int = 10, *, isolated: bool = False) -> None:
        """Make it.

        Raises:
            OSError: the kernel has no bridges, or does not let us.
        """
        self._descriptor = -1
        self._cables = 0
        self._prefix = prefix
        self._isolated = isolated
        failed: list[OSError] = []

        def make() -> None:
            try:
                kernel.unshare(kernel.CLONE_NEWNET)
                info = _attribute(_INFO_KIND, b"bridge")
                name = _attribute(_IFNAME, _BRIDGE.encode() + b"\0") + _attribute(_ADDRESS, _HARDWARE_ADDRESS)
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

    def connect(self, pid: int, address: str, gateway: str | None = None) -> None:
        """Give the network of process ``pid`` a cable to the bridge, and ``address`` on it.

        All that is not in the network goes to the ``gateway``, one of the bridge's own addresses.

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
            if self._isolated:
                port = struct.pack("BxHiII", socket.AF_BRIDGE, 0, socket.if_nametoindex(outer), 0, 0)
                flag = _attribute(_BRIDGE_PORT_ISOLATED, b"\1")
                _ask(_SETLINK, 0, port + _attribute(_PROTINFO | _NESTED, flag))

        def plug() -> None:
            _give_address(_INNER, address, self._prefix)
            _await_operation(_INNER)
            if gateway is not None:
                _default_route(_EVERYWHERE, _UNICAST, _attribute(_RTA_GATEWAY, socket.inet_aton(gateway)))

        try:
            visit(self.namespace, lay)
        finally:
            os.close(inner)
        visit(namespace, plug)
        visit(self.namespace, lambda: _await_operation(outer))

    def take(self, address: str) -> None:
        """Have the bridge itself be reached at ``address`` too; OSError when it can't be."""
        with suppress(FileExistsError):  # from the last time
            visit(self.namespace, lambda: _give_address(_BRIDGE, address, self._prefix))

    def take_all(self) -> None:
        """Have the bridge itself be reached at every address that is not of this network; OSError likewise.

        A socket that listens here needs IP_TRANSPARENT to answer from such an address (ip(7)).
        """

        def take() -> None:
            loopback = socket.if_nametoindex("lo")
            _ask(_NEWLINK, 0, _link(loopback, up=True))
            _default_route(_THIS_HOST, _LOCAL, _attribute(_RTA_OUT, struct.pack("I", loopback)))

        visit(self.namespace, take)

    def close(self) -> None:
        """Give it up; it goes with the last container that is connected to it."""
        os.close(self._descriptor)
