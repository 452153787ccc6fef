"""A network for the containers of a session: each reaches the outside, and those it is let reach."""

import os
import threading
from contextlib import suppress
from itertools import count

from ci.engine.sandbox.network.hub import Hub, founded, loopback_up
from ci.engine.sandbox.network.rules import Rules
from ci.engine.sandbox.network.uplink import NoWayOut, Uplink, lead_out

# Reserved (RFC 1112): no name server, nor anything else that a container may ask for, is there.
_CONTAINERS, _PREFIX = "253.64.0.0", 10
GATEWAY = "253.127.255.254"
_OURS = 8  # bits of the range that containers and links have together: what is translated on its way out
_BLOCK = 1 << 8
_MOST = 1 << 22


class Network:
    """The network, as long as it is not closed. Blocking throughout; from any thread."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            OSError: the kernel has no bridges, or does not let us.
        """
        self._lock = threading.Lock()
        self._places = count(_BLOCK)
        self._taken: list[int] = []
        self.hub = Hub(_PREFIX, isolated=True)
        self._uplink: Uplink | None = None
        self.reason = ""
        try:
            self.hub.take(GATEWAY)
            self.rules = Rules(self.hub.namespace, _CONTAINERS, _PREFIX, GATEWAY)
        except OSError:
            self.hub.close()
            raise
        try:
            self._uplink = lead_out(self.hub, _CONTAINERS, _OURS)
        except NoWayOut as error:
            self.reason = str(error)

    @property
    def way_out(self) -> str:
        """By what means containers reach the outside; "" when they do not."""
        return self._uplink.kind if self._uplink is not None else ""

    def address(self) -> str:
        """An address that nobody has had before."""
        number = next(self._places) % _MOST
        first, rest = divmod(number, 1 << 16)
        second, third = divmod(rest, _BLOCK)
        if third in {0, _BLOCK - 1} or number < _BLOCK:
            return self.address()
        return f"253.{64 + first}.{second}.{third}"

    def place(self) -> tuple[str, str]:
        """A new network for one container at a time: its address, and the file of its namespace."""
        made = founded(loopback_up)
        with self._lock:
            self._taken.append(made)
            address = self.address()
            mtu = self._uplink.mtu if self._uplink is not None else 0
            self.hub.attach(made, address, GATEWAY, mtu=mtu)
        return address, f"/proc/self/fd/{made}"

    def take(self, address: str) -> None:
        """Have the bridge itself be reached at an address, by those whom the rules let."""
        self.hub.take(address)

    def close(self) -> None:
        """Give it up; it goes with the last container that is in it."""
        self.rules.close()
        if self._uplink is not None:
            self._uplink.close()
        for descriptor in self._taken:
            with suppress(OSError):
                os.close(descriptor)
        self._taken.clear()
        self.hub.close()
