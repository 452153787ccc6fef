"""Keeps a step's output: in memory while it is small, on disk when it grows, its end when it is too much."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ci.engine.errors import OUTPUT_LIMIT, EngineError, marked
from ci.engine.graph.texts.text import LIMIT

if TYPE_CHECKING:
    from ci.engine.store.store import Store

_SMALL = 64 * 1024
_SPARE = 4  # times the end that is kept, before it is cut off again
_TOO_MANY = "more:"


class Capture:
    """One output stream's bytes, to be kept under their sha256.

    What is more than the API hands out nobody can ask for: of that the end alone is kept, for errors, unless
    the stream is wanted ``whole``.
    """

    def __init__(self, folder: Path, name: str, *, whole: bool = False) -> None:
        self._path = folder / name
        self._whole = whole
        self._size = 0
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._over = False

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._size += len(data)
        if self._over:
            self._memory += data
            if len(self._memory) > _SPARE * OUTPUT_LIMIT:
                del self._memory[:-OUTPUT_LIMIT]
            return
        if self._file is None and len(self._memory) + len(data) > _SMALL:
            self._file = self._path.open("w+b")
            self._file.write(self._memory)
            self._memory.clear()
        if self._file is not None:
            self._file.write(data)
        else:
            self._memory += data
        if self._size > LIMIT and not self._whole:
            self._forget_all_but_the_end()

    def tail(self, limit: int) -> str:
        """The last ``limit`` bytes as text, OUTPUT_LIMIT at most; it says how many are missing before."""
        data = self._last(limit)
        text = marked(data, self._size - len(data)) if self._size > len(data) else data
        return text.decode(errors="replace")

    def _last(self, limit: int) -> bytes:
        if self._file is None:
            return bytes(self._memory[-limit:])
        self._file.seek(max(0, self._size - limit))
        data = self._file.read()
        self._file.seek(self._size)
        return data

    def _forget_all_but_the_end(self) -> None:
        end = self._last(OUTPUT_LIMIT)
        if self._file is not None:
            self._file.truncate(0)
        self.close()
        self._file, self._memory, self._over = None, bytearray(end), True

    def keep(self, store: Store) -> str:
        """Keep the bytes in the store; returns their sha256, or what stands for too many of them."""
        if self._over:
            return f"{_TOO_MANY}{self._size}"
        if self._file is None:
            return keep_text(store, bytes(self._memory))
        self._file.flush()
        with self._path.open("rb") as stream:
            return store.blobs.put(stream).digest.removeprefix("sha256:")

    def close(self) -> None:
        """Give up the file, if there is one."""
        if self._file is not None:
            self._file.close()


def keep_text(store: Store, data: bytes) -> str:
    """Keep a short text in the index; returns its sha256."""
    digest = hashlib.sha256(data).hexdigest()
    store.index.add_node("text:" + digest, data)
    return digest


def read_text(store: Store, digest: str) -> bytes:
    """The bytes kept under a sha256; Lost when there are none.

    Raises:
        EngineError: they were too many to be kept.
    """
    if digest.startswith(_TOO_MANY):
        raise EngineError(f"file size {digest.removeprefix(_TOO_MANY)} exceeds limit {LIMIT}")
    try:
        return store.index.node("text:" + digest)
    except KeyError:
        return store.read(digest)


def lacking(store: Store, digest: str) -> None:
    """Lost when what is kept under a sha256, if anything, is there no more."""
    if not digest.startswith(_TOO_MANY):
        read_text(store, digest)
