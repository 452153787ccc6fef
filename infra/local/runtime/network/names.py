"""The name server of the instances: this cloud's own names, and those that this machine can resolve."""

import asyncio
import ipaddress
import socket
import struct
from typing import cast

METADATA = "169.254.169.254"
#: Where this cloud's own ports are: the front proxy's, the APIs', the registry's.
CLOUD = "169.254.169.253"

_OWN = {"metadata.google.internal": METADATA, "metadata": METADATA}
_TTL = 30  # seconds
# RFC 1035, sections 3.2 and 4.1.
_A, _INTERNET, _POINTER = 1, 1, 0xC00C
_RESPONSE, _ASKED, _RECURSION = 0x8000, 0x7900, 0x0080  # _ASKED is what an answer repeats
_NO_ERROR, _FAILED, _NO_SUCH_NAME, _NOT_SERVED = 0, 2, 3, 4
_HEAD = 12


class Names(asyncio.DatagramProtocol):
    """Answers questions for IPv4 addresses over UDP (RFC 1035); to others it says that there is nothing."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._asked: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # Python 3.11's is not declared as one

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Called by the event loop."""
        task = asyncio.get_running_loop().create_task(self._reply(data, addr))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    def close(self) -> None:
        """Answer no more."""
        for task in self._asked:
            task.cancel()
        if self._transport is not None:
            self._transport.close()

    async def _reply(self, data: bytes, to: tuple[str, int]) -> None:
        answer = await reply(data)
        if answer and self._transport is not None:
            self._transport.sendto(answer, to)


async def reply(data: bytes) -> bytes:
    """The answer to a query; empty when it is none."""
    if len(data) < _HEAD:
        return b""
    number, flags, questions = struct.unpack_from(">HHH", data)
    if flags & _RESPONSE:
        return b""
    try:
        name, end = _question(data)
    except (IndexError, UnicodeDecodeError):
        return b""
    kind, group = struct.unpack_from(">HH", data, end - 4)
    if questions != 1 or group != _INTERNET:
        return struct.pack(">HHHHHH", number, flags & _ASKED | _RESPONSE | _NOT_SERVED, 0, 0, 0, 0)
    code, found = await _addresses(name) if kind == _A else (_NO_ERROR, [])
    flags = flags & _ASKED | _RESPONSE | _RECURSION | code
    head = struct.pack(">HHHHHH", number, flags, 1, len(found), 0, 0)
    rows = (
        struct.pack(">HHHIH", _POINTER, _A, _INTERNET, _TTL, 4) + socket.inet_aton(each) for each in found
    )
    return b"".join([head, data[_HEAD:end], *rows])


def _question(data: bytes) -> tuple[str, int]:
    """The name that is asked for, and where the question ends. Raises IndexError, UnicodeDecodeError."""
    labels, at = [], _HEAD
    while (length := data[at]) != 0:
        if length > 63 or len(data) < at + 1 + length:
            raise IndexError("a label that is too long")
        labels.append(data[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    if len(data) < at + 5:
        raise IndexError("a question that breaks off")
    return ".".join(labels).lower(), at + 5


async def _addresses(name: str) -> tuple[int, list[str]]:
    """A response code, and the IPv4 addresses of a name."""
    if name in _OWN:
        return _NO_ERROR, [_OWN[name]]
    if name.endswith(".localhost"):
        return _NO_ERROR, [CLOUD]
    try:
        rows = await asyncio.get_running_loop().getaddrinfo(
            name, None, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
    except socket.gaierror as error:
        return (_NO_SUCH_NAME if error.errno in {socket.EAI_NONAME, socket.EAI_NODATA} else _FAILED), []
    except UnicodeError:
        return _NO_SUCH_NAME, []
    found = {str(row[4][0]) for row in rows}
    # What is this machine's own business would be the instance's own, seen from there.
    away = sorted(each for each in found if not ipaddress.ip_address(each).is_loopback)
    return (_NO_ERROR if away else _NO_SUCH_NAME), away
