"""Keeps a step's output: in memory while it is small, on disk when it grows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ci.engine.errors import marked, shortened

if TYPE_CHECKING:
    from ci.engine.store.store import Store

_SMALL = 64 * 1024


class Capture:
    """One output stream's bytes, to be kept under their sha256."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._memory = bytearray()
        self._file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Add bytes."""
        if self._file is None and len(self._memory) + len(data) > _SMALL:
            self._file = self._path.open("w+b")
            self._file.write(self._memory)
            self._memory.clear()
        if self._file is not None:
            self._file.write(data)
        else:
            self._memory += data

    def tail(self, limit: int) -> str:
        """The last ``limit`` bytes as text; it says how many are missing before them."""
        if self._file is None:
            return shortened(self._memory.decode(errors="replace"), limit)
        size = self._file.tell()
        self._file.seek(max(0, size - limit))
        data = self._file.read()
        self._file.seek(size)
        return (marked(data, size - limit) if size > limit else data).decode(errors="replace")

    def keep(self, store: Store) -> str:
        """Keep the bytes in the store; returns their sha256."""
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
    """The bytes kept under a sha256; Lost when there are none."""
    try:
        return store.index.node("text:" + digest)
    except KeyError:
        return store.read(digest)
