"""A network between containers: a bridge, and for each a cable from its own network to it (rtnetlink(7)).

By itself it leads nowhere else: neither to the host nor out of it.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from ci.engine.sandbox import kernel
from ci.engine.sandbox.network.netlink import (
    CREATE,
    EXCL,
    LINKS,
    NESTED,
    Channel,
    ask,
    attribute,
    attributes,
    await_change,
    text,
)

# From <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>, <linux/veth.h> and <linux/if.h>.
_NEWLINK, _GETLINK, _SETLINK, _NEWADDR, _NEWROUTE = 16, 18, 19, 20, 24
_ADDRESS, _IFNAME, _MTU, _MASTER, _PROTINFO, _LINKINFO, _NET_NS_FD = 1, 3, 4, 10, 12, 18, 28
_OPERSTATE, _OPERATIONAL = 16, 6
_BRIDGE_PORT_ISOLATED = 33
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OUT, _RTA_GATEWAY = 4, 5
_TABLE_MAIN, _BY_BOOT, _EVERYWHERE, _THIS_HOST, _UNICAST, _LOCAL = 254, 3, 0, 254, 1, 2
_ON_LINK = 4
_UP = 0x1
BRIDGE, _INNER = "hub", "eth0"
# Of its own, and one for good: otherwise it is the lowest of its cables', and containers that remember it
# send to nobody when that one goes.
_HARDWARE_ADDRESS = bytes.fromhex("020000000001")
_PATIENCE = 1.0  # seconds for a link to come up


def _link(index: int = 0, *, up: bool) -> bytes:
    return struct.pack("BxHiII", socket.AF_UNSPEC, 0, index, _UP if up else 0, _UP if up else 0)


def _default_route(scope: int, kind: int, *rest: bytes) -> None:
    row = struct.pack("BBBBBBBBI", socket.AF_INET, 0, 0, 0, _TABLE_MAIN, _BY_BOOT, scope, kind, _ON_LINK)
    ask(_NEWROUTE, CREATE, row + b"".join(rest))


def default_gateway(name: str, address: str) -> None:
    """Send all that is not of the calling thread's network to an address behind one of its links."""
    out = attribute(_RTA_OUT, struct.pack("I", socket.if_nametoindex(name)))
    _default_route(_EVERYWHERE, _UNICAST, attribute(_RTA_GATEWAY, socket.inet_aton(address)), out)


def give_address(name: str, address: str, prefix: int) -> None:
    """Give a link of the calling thread's network an address, and have it work."""
    index, packed = socket.if_nametoindex(name), socket.inet_aton(address)
    row = struct.pack("BBBBI", socket.AF_INET, prefix, 0, 0, index)
    ask(_NEWADDR, CREATE, row + attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed))
    ask(_NEWLINK, 0, _link(index, up=True))


def loopback_up() -> None:
    """Have the loopback of the calling thread's network work."""
    ask(_NEWLINK, 0, _link(socket.if_nametoindex("lo"), up=True))


def lay_cable(name: str, far_name: str, far: int, *more: bytes, mtu: int = 0) -> None:
    """Lay a cable from the calling thread's network to that of a descriptor, ``far``."""
    size = attribute(_MTU, struct.pack("I", mtu)) if mtu else b""
    end = text(_IFNAME, far_name) + attribute(_NET_NS_FD, struct.pack("I", far)) + size
    peer = attribute(_VETH_PEER, _link(up=False) + end)
    info = attribute(_INFO_KIND, b"veth") + attribute(_INFO_DATA, peer)
    body = text(_IFNAME, name) + size + b"".join(more) + attribute(_LINKINFO, info)
    ask(_NEWLINK, CREATE | EXCL, _link(up=True) + body)


def _operational(name: str) -> bool:
    """Whether packets get through a link of the calling thread's network."""
    with closing(Channel()) as channel:
        answer = channel.get(_GETLINK, _link(socket.if_nametoindex(name), up=False))
    found = dict(attributes(answer[16:]))
    return found.get(_OPERSTATE, bytes([_OPERATIONAL]))[0] == _OPERATIONAL


def _await_operation(name: str) -> None:
    """Wait until packets get through a link that has just come up.

    The kernel sees to that later (net/core/link_watch.c), and drops what is sent before; a sender tries again
    after a second. Newer kernels see to it when they are asked.
    """
    await_change(LINKS, lambda: _operational(name), _PATIENCE)


def visit(namespace: str, work: Callable[[], None]) -> None:
    """Do ``work`` in a thread of its own that has entered a network namespace, given by its file. Blocking.

    Raises:
        OSError: it can't be entered, or the work failed so.
    """

    def run() -> None:
        kernel.enter_network(namespace)
        work()

    kernel.apart(f"visits-{namespace}", run)


def founded(work: Callable[[], None]) -> int:
    """A descriptor of a new network namespace, with ``work`` done by a thread in it. Blocking.

    Raises:
        OSError: the kernel does not let us, or the work failed so.
    """
    made: list[int] = []

    def run() -> None:
        kernel.unshare(kernel.CLONE_NEWNET)
        work()
        own = f"/proc/self/task/{threading.get_native_id()}/ns/net"
        made.append(os.open(own, os.O_RDONLY | os.O_CLOEXEC))

    kernel.apart("founds", run)
    return made[0]


class Hub:
    """The network: it is there for as long as this object is not closed. Blocking throughout.

    Addresses are of ``prefix`` bits. Of an ``isolated`` one, containers reach the bridge and not each other.
    """

    def __init__(self, prefix: int = 10, *, isolated: bool = False) -> None:
        """Make it.

        Raises:
            OSError: the kernel has no bridges, or does not let us.
        """
        self._cables = 0
        self._prefix = prefix
        self._isolated = isolated

        def make() -> None:
            info = attribute(_LINKINFO, attribute(_INFO_KIND, b"bridge"))
            name = text(_IFNAME, BRIDGE) + attribute(_ADDRESS, _HARDWARE_ADDRESS)
            ask(_NEWLINK, CREATE | EXCL, _link(up=True) + name + info)

        self._descriptor = founded(make)

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
        namespace = f"/proc/{pid}/ns/net"
        inner = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.attach(inner, address, gateway, prefix=self._prefix)
        finally:
            os.close(inner)

    def attach(
        self, inner: int, address: str, gateway: str | None, *, prefix: int = 32, mtu: int = 0
    ) -> None:
        """The same for a network that is given by a descriptor, and that by itself knows no neighbours."""
        self._cables += 1
        outer = f"cable{self._cables}"

        def lay() -> None:
            bridge = attribute(_MASTER, struct.pack("I", socket.if_nametoindex(BRIDGE)))
            lay_cable(outer, _INNER, inner, bridge, mtu=mtu)
            if self._isolated:
                port = struct.pack("BxHiII", socket.AF_BRIDGE, 0, socket.if_nametoindex(outer), 0, 0)
                flag = attribute(_BRIDGE_PORT_ISOLATED, b"\1")
                ask(_SETLINK, 0, port + attribute(_PROTINFO | NESTED, flag))

        def plug() -> None:
            give_address(_INNER, address, prefix)
            _await_operation(_INNER)
            if gateway is not None:
                default_gateway(_INNER, gateway)

        visit(self.namespace, lay)
        visit(f"/proc/self/fd/{inner}", plug)
        visit(self.namespace, lambda: _await_operation(outer))

    def take(self, address: str) -> None:
        """Have the bridge itself be reached at ``address`` too; OSError when it can't be."""
        with suppress(FileExistsError):  # from the last time
            visit(self.namespace, lambda: give_address(BRIDGE, address, self._prefix))

    def take_all(self) -> None:
        """Have the bridge itself be reached at every address that is not of this network; OSError likewise.

        A socket that listens here needs IP_TRANSPARENT to answer from such an address (ip(7)).
        """

        def take() -> None:
            loopback_up()
            out = attribute(_RTA_OUT, struct.pack("I", socket.if_nametoindex("lo")))
            _default_route(_THIS_HOST, _LOCAL, out)

        visit(self.namespace, take)

    def close(self) -> None:
        """Give it up; it goes with the last container that is connected to it."""
        os.close(self._descriptor)
