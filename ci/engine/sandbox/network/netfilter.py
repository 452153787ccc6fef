"""Translating addresses on the way out, by the kernel's own means (nf_tables over netlink(7))."""

import os
import socket
import struct
from collections.abc import Iterator

from ci.engine.sandbox.network.netlink import (
    ACK,
    APPEND,
    CREATE,
    Channel,
    attribute,
    attributes,
    message,
    nested,
    text,
)

# From <linux/netfilter/nfnetlink.h>, <linux/netfilter/nf_tables.h> and <linux/netfilter_ipv4.h>.
_NETFILTER = 12
_TABLES = 10
_BEGIN, _END = 16, 17
_NEWTABLE, _NEWCHAIN, _GETCHAIN, _NEWRULE = ((_TABLES << 8) | each for each in (0, 3, 4, 6))
_TABLE_NAME, _TABLE_FLAGS, _OWNER = 1, 2, 2
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY, _CHAIN_TYPE = 1, 3, 4, 5, 7
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS = 1, 2, 4
_ELEMENT, _EXPRESSION_NAME, _EXPRESSION_DATA = 1, 1, 2
_FORWARD, _POSTROUTING, _SOURCE_NAT, _DROP = 2, 4, 100, 0
_REGISTER, _NETWORK_HEADER, _SOURCE_ADDRESS = 1, 1, 12
_LINK_OUT, _SAME_AS, _OTHER_THAN = 5, 0, 1
_INET, _IP = 1, 2


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))


def _table_message(kind: int, flags: int, *content: bytes) -> bytes:
    return message(kind, ACK | flags, struct.pack(">BBH", socket.AF_INET, 0, 0) + b"".join(content))


def _batch(kind: int) -> bytes:
    return message(kind, 0, struct.pack(">BBH", socket.AF_UNSPEC, 0, _TABLES))


def _expression(name: str, *content: bytes) -> bytes:
    return nested(_ELEMENT, text(_EXPRESSION_NAME, name), nested(_EXPRESSION_DATA, *content))


def masquerade(source: str, prefix: int = 32, *, within: str = "") -> Channel:
    """Give what comes from an address (or the 8, 16 or 24 bits of it) this machine's own on its way out.

    What stays on the link that is named (``within``) is left as it is. It is so in the calling thread's
    network for as long as the channel is not closed, however the process ends.

    Raises:
        OSError: the kernel has no such thing (before Linux 5.12), or does not let us.
    """
    name, length = f"shipway-{os.getpid()}-{source}", prefix // 8
    channel = Channel(_NETFILTER)
    wanted = socket.inet_aton(source)[:length]
    rule = [
        _expression(
            "payload",
            _number(1, _REGISTER),
            _number(2, _NETWORK_HEADER),
            _number(3, _SOURCE_ADDRESS),
            _number(4, length),
        ),
        _expression("cmp", _number(1, _REGISTER), _number(2, _SAME_AS), nested(3, attribute(1, wanted))),
    ]
    if within:
        index = struct.pack("I", socket.if_nametoindex(within))
        rule += [
            _expression("meta", _number(1, _REGISTER), _number(2, _LINK_OUT)),
            _expression(
                "cmp", _number(1, _REGISTER), _number(2, _OTHER_THAN), nested(3, attribute(1, index))
            ),
        ]
    rule.append(_expression("masq"))
    try:
        channel.ask(
            _batch(_BEGIN),
            _table_message(_NEWTABLE, CREATE, text(_TABLE_NAME, name), _number(_TABLE_FLAGS, _OWNER)),
            _table_message(
                _NEWCHAIN,
                CREATE,
                text(_CHAIN_TABLE, name),
                text(_CHAIN_NAME, "out"),
                nested(
                    _CHAIN_HOOK,
                    _number(_HOOK_NUMBER, _POSTROUTING),
                    _number(_HOOK_PRIORITY, _SOURCE_NAT),
                ),
                text(_CHAIN_TYPE, "nat"),
            ),
            _table_message(
                _NEWRULE,
                CREATE | APPEND,
                text(_RULE_TABLE, name),
                text(_RULE_CHAIN, "out"),
                nested(_RULE_EXPRESSIONS, *rule),
            ),
            _batch(_END),
            answers=3,
        )
    except OSError:
        channel.close()
        raise
    return channel


def forwarding_dropped() -> bool:
    """Whether a firewall in the calling thread's network drops what is not this machine's, by its policy.

    Docker's does, to all but its own. Firewalls of the older kind (iptables-legacy) are not seen.
    """
    channel = Channel(_NETFILTER)
    try:
        return any(_drops(chain) for chain in _chains(channel))
    finally:
        channel.close()


def _chains(channel: Channel) -> Iterator[bytes]:
    yield from channel.dump(_GETCHAIN, struct.pack(">BBH", socket.AF_UNSPEC, 0, 0))


def _drops(chain: bytes) -> bool:
    found = dict(attributes(chain[4:]))
    hook = dict(attributes(found.get(_CHAIN_HOOK, b"")))
    return (
        chain[0] in {_INET, _IP}
        and hook.get(_HOOK_NUMBER) == struct.pack(">I", _FORWARD)
        and found.get(_CHAIN_POLICY) == struct.pack(">I", _DROP)
    )
