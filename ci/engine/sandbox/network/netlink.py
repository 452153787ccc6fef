"""Talking to the kernel about networks: requests, attributes and answers (netlink(7), rtnetlink(7))."""

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

REQUEST, ACK, EXCL, CREATE, APPEND, DUMP = 0x1, 0x4, 0x200, 0x400, 0x800, 0x300
NESTED = 0x8000
LINKS, ROUTES = 0x1, 0x40  # whose changes the kernel tells of: RTMGRP_LINK, RTMGRP_IPV4_ROUTE
_ERROR, _DONE = 2, 3
_HEAD = 16
_LARGEST = 1 << 16


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute."""
    length = 4 + len(data)
    return struct.pack("HH", length, kind) + data + bytes(-length % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    """An attribute made of others."""
    return attribute(kind | NESTED, b"".join(parts))


def text(kind: int, value: str) -> bytes:
    """An attribute that is a name."""
    return attribute(kind, value.encode() + b"\0")


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The kinds and contents of the attributes in a piece of a message."""
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("HH", data, at)
        yield kind & ~NESTED, data[at + 4 : at + length]
        at += max(length + 3 & ~3, 4)


def message(kind: int, flags: int, body: bytes) -> bytes:
    """One request."""
    return struct.pack("IHHII", _HEAD + len(body), kind, REQUEST | flags, 1, 0) + body


class Channel:
    """A socket to the kernel, about the network that the calling thread is in when it is made."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE, *, changes: int = 0) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        if changes:
            self._socket.bind((0, changes))

    def fileno(self) -> int:
        """The socket's descriptor: there is something to read when the kernel tells of a change."""
        return self._socket.fileno()

    def drop(self) -> None:
        """Take what there is to read, and forget it."""
        with suppress(OSError):  # ENOBUFS: the kernel had more to tell than there was room for
            self._socket.recv(_LARGEST)

    def ask(self, *messages: bytes, answers: int = 1) -> None:
        """Send requests at once and wait for as many answers; OSError is the kernel's no to one of them."""
        self._socket.send(b"".join(messages))
        while answers:
            for kind, body in _messages(self._socket.recv(_LARGEST)):
                answers -= 1
                (code,) = struct.unpack_from("i", body)
                if kind == _ERROR and code:
                    raise OSError(-code, os.strerror(-code))

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """All that the kernel has of a kind."""
        self._socket.send(message(kind, DUMP, body))
        while True:
            for answer, content in _messages(self._socket.recv(_LARGEST)):
                if answer in {_ERROR, _DONE}:
                    return
                yield content

    def get(self, kind: int, body: bytes) -> bytes:
        """The one answer to a question."""
        self._socket.send(message(kind, 0, body))
        return next(content for _, content in _messages(self._socket.recv(_LARGEST)))

    def close(self) -> None:
        """Hang up; what the kernel keeps for the socket's owner goes with it."""
        self._socket.close()


def ask(kind: int, flags: int, body: bytes) -> None:
    """Send a request in the calling thread's network, and wait for the answer; OSError is the kernel's no."""
    with closing(Channel()) as channel:
        channel.ask(message(kind, ACK | flags, body))


def await_change(changes: int, done: Callable[[], bool], patience: float, over: int | None = None) -> bool:
    """Wait until something is ``done`` in the calling thread's network: asked now, and after each change.

    ``changes`` are LINKS or ROUTES. False when it was not within ``patience`` seconds, nor before there was
    something to read from the descriptor ``over``.
    """
    ends = time.monotonic() + patience
    with closing(Channel(changes=changes)) as channel:
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        if over is not None:
            poll.register(over, select.POLLIN)
        while not done():
            left = max(ends - time.monotonic(), 0)
            if channel.fileno() not in dict(poll.poll(left * 1000)):
                return False
            channel.drop()
    return True


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEAD <= len(data):
        length, kind = struct.unpack_from("IH", data, at)
        yield kind, data[at + _HEAD : at + length]
        at += max(length + 3 & ~3, _HEAD)
