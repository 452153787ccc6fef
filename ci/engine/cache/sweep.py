"""Sweeping: what was not reached goes, in batches, except what is younger than the oldest living session."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ci.engine.cache.entries import Found
from ci.engine.cache.reach import Reach
from ci.engine.images import names
from ci.engine.store.leases import Held

T = TypeVar("T")
Batch = Callable[[Sequence[Held]], None]
#: How many things one batch drops: sessions that look something up wait as long (a few milliseconds).
_SIZE = 100
#: The kernel's clock for files is this much behind (nanoseconds), and more.
_GRAIN = 10**9
_NEVER = 1 << 62


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, _SIZE)):
        yield chunk


class Sweep:
    """What one collection drops; ``trash`` is a folder to rename directories to."""

    def __init__(self, root: Path, database: sqlite3.Connection, reach: Reach, trash: Path) -> None:
        self._root = root
        self._database = database
        self._reach = reach
        self._trash = trash

    def batches(self, doomed: Sequence[Found]) -> Iterator[Batch]:
        """The batches to do one after the other, each with the leases of that moment."""
        for found in _chunks(iter(doomed)):
            yield lambda held, found=found: self._entries(found, held)  # type: ignore[misc]
        nodes = self._database.execute("SELECT digest FROM node").fetchall()
        for digests in _chunks(digest for (digest,) in nodes if digest not in self._reach.nodes):
            yield lambda held, digests=digests: self._nodes(digests, held)  # type: ignore[misc]
        rows = self._database.execute("SELECT id FROM layer").fetchall()
        for numbers in _chunks(number for (number,) in rows if number not in self._reach.layers):
            yield lambda held, numbers=numbers: self._layers(numbers, held)  # type: ignore[misc]
        folders = (self._root / "layers").iterdir()
        for orphans in _chunks(folder for folder in folders):
            yield lambda held, orphans=orphans: self._orphans(orphans, held)  # type: ignore[misc]
        blobs = self._root / "blobs"
        for files in _chunks(iter([*(blobs / "sha256").glob("??/*"), *(blobs / "tmp").glob("*")])):
            yield lambda held, files=files: self._blobs(files, held)  # type: ignore[misc]

    def _entries(self, doomed: Sequence[Found], held: Sequence[Held]) -> None:
        since = min((each.since for each in held), default=_NEVER) - _GRAIN
        with self._transaction():
            for entry in (found.entry for found in doomed):
                if entry.kind == "image":
                    self._unlink(names.folder(self._root) / entry.key, since)
                elif entry.kind == "volume":
                    folder = self._root / "volumes" / entry.key
                    self._volume(folder, folder.with_name(f"{folder.name}.lock"), since)
                else:
                    self._database.execute(
                        "DELETE FROM fact WHERE kind = ? AND key = ? AND used <= ?",
                        (entry.kind, entry.key, entry.used),
                    )

    def _nodes(self, digests: Sequence[str], held: Sequence[Held]) -> None:
        session = min((each.session for each in held), default=_NEVER)
        gone = [(digest, session) for digest in digests if digest not in self._reach.nodes]
        with self._transaction():
            self._database.executemany("DELETE FROM node WHERE digest = ? AND session < ?", gone)

    def _layers(self, numbers: Sequence[int], held: Sequence[Held]) -> None:
        last = min((each.layer for each in held), default=_NEVER)
        gone = [(number,) for number in numbers if number <= last and number not in self._reach.layers]
        with self._transaction():
            self._database.executemany("DELETE FROM layer WHERE id = ?", gone)
            self._database.executemany("DELETE FROM content WHERE layer = ?", gone)
        for (number,) in gone:
            self._discard(self._root / "layers" / f"{number:x}")

    def _orphans(self, folders: Sequence[Path], held: Sequence[Held]) -> None:
        last = min((each.layer for each in held), default=_NEVER)
        for folder in folders:
            number = int(folder.name, 16)
            known = self._database.execute("SELECT 1 FROM layer WHERE id = ?", (number,)).fetchone()
            if known is None and number <= last:
                self._discard(folder)

    def _blobs(self, files: Sequence[Path], held: Sequence[Held]) -> None:
        since = min((each.since for each in held), default=_NEVER) - _GRAIN
        for file in files:
            if f"sha256:{file.name}" not in self._reach.held:
                self._unlink(file, since)

    def _volume(self, folder: Path, lock: Path, since: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            if not lock.exists() or lock.stat().st_mtime_ns < since:
                self._discard(folder)
                lock.unlink(missing_ok=True)

    @staticmethod
    def _unlink(file: Path, since: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mtime_ns < since:
                file.unlink()

    def _discard(self, folder: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, self._trash / f"{folder.parent.name}-{folder.name}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
