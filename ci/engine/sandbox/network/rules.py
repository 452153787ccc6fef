"""Who may reach whom on a hub: routing rules of its network (rtnetlink(7), ip-rule(8)).

They are about addresses: what is not allowed here is answered with "no route to host".
"""

import socket
import struct
from contextlib import suppress

from ci.engine.sandbox.network.hub import BRIDGE, visit
from ci.engine.sandbox.network.netlink import ACK, CREATE, EXCL, Channel, attribute, message, text

# From <linux/fib_rules.h> and <linux/rtnetlink.h>.
_NEWRULE, _DELRULE = 32, 33
_DESTINATION, _SOURCE, _ARRIVED_BY, _PRIORITY, _TABLE = 1, 2, 3, 6, 15
_LOOK_UP, _PROHIBIT = 1, 8
_LOCAL, _MAIN = 255, 254
#: In which order rules are asked: what is allowed, what is everybody's, what is forbidden, the rest.
_ALLOWED, _COMMON, _FORBIDDEN, _THIS_HOST = 100, 200, 300, 400


class Rules:
    """Those of a hub whose containers' addresses are ``containers``, and whose bridge's is ``gateway``."""

    def __init__(self, namespace: str, containers: str, prefix: int, gateway: str) -> None:
        """Forbid all but the way to the gateway, and through it; OSError when the kernel does not let us."""
        made: list[Channel] = []
        visit(namespace, lambda: made.append(Channel()))
        self._channel = made[0]
        self._rule(_NEWRULE, _COMMON, _LOCAL, to=(gateway, 32))
        self._rule(_NEWRULE, _FORBIDDEN, 0, to=(containers, prefix), arrived=True)
        self._rule(_NEWRULE, _THIS_HOST, _LOCAL)
        self._rule(_DELRULE, 0, _LOCAL)  # the kernel's own, which comes before all others

    def allow(self, one: str, other: str, *, here: bool = False) -> None:
        """Let two addresses reach each other; ``here`` says that the other one is the bridge's."""
        self._both(_NEWRULE, one, other, _LOCAL if here else _MAIN)

    def forbid(self, one: str, other: str, *, here: bool = False) -> None:
        """Have it end; that it never was allowed is no error."""
        with suppress(FileNotFoundError):
            self._both(_DELRULE, one, other, _LOCAL if here else _MAIN)

    def close(self) -> None:
        """Change nothing any more."""
        self._channel.close()

    def _both(self, kind: int, one: str, other: str, table: int) -> None:
        with suppress(FileExistsError):
            self._rule(kind, _ALLOWED, table, source=one, to=(other, 32), arrived=True)
        if table == _MAIN:
            with suppress(FileExistsError):
                self._rule(kind, _ALLOWED, table, source=other, to=(one, 32), arrived=True)

    def _rule(
        self,
        kind: int,
        priority: int,
        table: int,
        *,
        source: str = "",
        to: tuple[str, int] | None = None,
        arrived: bool = False,
    ) -> None:
        action = _LOOK_UP if table else _PROHIBIT
        head = struct.pack(
            "BBBBBBBBI", socket.AF_INET, to[1] if to else 0, 32 if source else 0, 0, table, 0, 0, action, 0
        )
        body = attribute(_PRIORITY, struct.pack("I", priority))
        body += attribute(_DESTINATION, socket.inet_aton(to[0])) if to else b""
        body += attribute(_SOURCE, socket.inet_aton(source)) if source else b""
        body += text(_ARRIVED_BY, BRIDGE) if arrived else b""
        flags = ACK | (CREATE | EXCL if kind == _NEWRULE else 0)
        self._channel.ask(message(kind, flags, head + body))
