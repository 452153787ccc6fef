"""Asking a container once whether it is well, over a connection to it."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import httptools

from infra.local.runtime.contract import Probe

Dial = Callable[[int], Awaitable[socket.socket]]

_ENOUGH = 64 << 10  # bytes of an answer


async def ask(probe: Probe, connection: socket.socket) -> bool:
    """What the container says over a connection; that there is one says enough to a TCP probe."""
    try:
        if probe.kind == "http":
            return await _http(probe, connection)
        return probe.kind == "tcp" or await _grpc(probe, connection)
    except (OSError, httptools.HttpParserError):
        return False


class _Status:
    """Hears of a response's head."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.code = 0

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.code = self.parser.get_status_code()


async def _http(probe: Probe, connection: socket.socket) -> bool:
    loop = asyncio.get_running_loop()
    lines = [
        f"GET {probe.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in probe.headers),
        "Connection: close",
    ]
    if not any(name.lower() == "host" for name, _ in probe.headers):
        lines.insert(1, f"Host: 127.0.0.1:{probe.port}")
    await loop.sock_sendall(connection, "\r\n".join([*lines, "", ""]).encode())
    status, heard = _Status(), 0
    while status.code < 200 and heard < _ENOUGH and (data := await loop.sock_recv(connection, 4096)):
        heard += len(data)
        status.parser.feed_data(data)
    return 200 <= status.code < 400


# HTTP/2 as far as one call needs it: RFC 9113, section 4.1; fields are literals, RFC 7541, section 6.2.2.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_SERVING = b"\x08\x01"  # grpc.health.v1.HealthCheckResponse{status: SERVING}


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _varint(number: int) -> bytes:
    low = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([*(each | 0x80 for each in low[:-1]), low[-1]])


def _health_check(probe: Probe) -> bytes:
    fields = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": b"/grpc.health.v1.Health/Check",
        b":authority": f"127.0.0.1:{probe.port}".encode(),
        b"content-type": b"application/grpc",
        b"te": b"trailers",
    }
    service = probe.service.encode()
    message = b"\x0a" + _varint(len(service)) + service if service else b""
    head = b"".join(_literal(name, value) for name, value in fields.items())
    call = struct.pack(">BI", 0, len(message)) + message
    return (
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, 1, head)
        + _frame(_DATA, _END_STREAM, 1, call)
    )


async def _grpc(probe: Probe, connection: socket.socket) -> bool:
    """Call grpc.health.v1.Health/Check: https://github.com/grpc/grpc/blob/master/doc/health-checking.md."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, _health_check(probe))
    answer, message = b"", b""
    while len(answer) < _ENOUGH and (data := await loop.sock_recv(connection, 4096)):
        answer += data
        while len(answer) >= 9 and len(answer) >= (end := 9 + int.from_bytes(answer[:3], "big")):
            kind, flags, payload = answer[3], answer[4], answer[9:end]
            answer = answer[end:]
            if kind in {_SETTINGS, _PING} and not flags & _ACK:
                await loop.sock_sendall(connection, _frame(kind, _ACK, 0, payload if kind == _PING else b""))
            elif kind == _DATA:
                message += payload
            if kind in {_RESET, _GOAWAY} or (kind in {_DATA, _HEADERS} and flags & _END_STREAM):
                return message == struct.pack(">BI", 0, len(_SERVING)) + _SERVING
    return False
