"""Gzip whose bytes depend on the input alone, and which uses every core.

As in pigz, the input is cut into blocks that are deflated side by side, each with the end of the block before
it as dictionary. The cuts are at fixed places, so the number of threads does not show in the output.
"""

import os
import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self

LEVEL = 6
BLOCK = 1 << 20
WINDOW = 1 << 15

# RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Writable(Protocol):
    """Anything bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`; how many bytes that is."""


class GzipWriter:
    """A binary file that compresses into `dest` what is written to it; leaving its block ends the stream."""

    def __init__(self, dest: Writable) -> None:
        self._dest = dest
        self._pending = bytearray()
        self._window = b""
        self._crc = 0
        self._size = 0
        threads = min(os.cpu_count() or 1, 8)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="gzip")
        self._blocks: deque[Future[bytes]] = deque()
        self._most = threads * 2
        dest.write(_HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._submit(bytes(self._pending), last=True)
                self._drain(0)
                self._dest.write(struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
        finally:
            self._pool.shutdown(cancel_futures=True)

    def write(self, data: bytes, /) -> int:
        """Compress `data`; it may be written later."""
        self._pending += data
        while len(self._pending) > BLOCK:
            self._submit(bytes(self._pending[:BLOCK]), last=False)
            del self._pending[:BLOCK]
        return len(data)

    def _submit(self, block: bytes, *, last: bool) -> None:
        self._crc = zlib.crc32(block, self._crc)
        self._size += len(block)
        self._blocks.append(self._pool.submit(_deflate, block, self._window, last))
        self._window = block[-WINDOW:]
        self._drain(self._most)

    def _drain(self, most: int) -> None:
        while len(self._blocks) > most:
            self._dest.write(self._blocks.popleft().result())


def _deflate(block: bytes, window: bytes, last: bool) -> bytes:
    arguments = (LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY)
    deflate = zlib.compressobj(*arguments, window) if window else zlib.compressobj(*arguments)
    return deflate.compress(block) + deflate.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
