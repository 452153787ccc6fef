"""What is in the cache, as people see it: results of steps, images, host directories, cache volumes."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine.cache.reach import DIGEST, Reach, loads
from ci.engine.images import names
from ci.engine.store import leases
from ci.engine.store.index import checksum

#: What a fact's kind is called in Dagger's list of record types, or here where Dagger has no such thing.
TYPES = {
    "exec": "exec",
    "host": "local",
    "host-file": "local",
    "http": "http",
    "chain": "image",
    "image": "image",
    "volume": "exec.cachemount",
}
_OWN = ("counter", "boot")
#: Says which file systems are close to another one on disk.
NEAR = "near"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One thing that can leave the cache.

    ``kind`` and ``key`` find it again; ``made`` and ``used`` are seconds since the epoch; ``size`` is what
    it takes beyond what more recently used entries take already, in bytes.
    """

    kind: str
    key: str
    description: str
    made: int
    used: int
    size: int = 0
    active: bool = False

    @property
    def digest(self) -> str:
        """Names the entry."""
        return f"{self.kind}:{self.key}:{self.used}:{self.size}:{self.active}"

    @property
    def type(self) -> str:
        """The record type."""
        return TYPES.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with what is needed to reach what it names."""

    entry: CacheEntry
    value: Any = None
    text: str = ""

    def touched(self, since: int | None) -> bool:
        """Whether it is a file that was touched, as sessions do that use it, after a time (ns)."""
        file = self.entry.kind in {"image", "volume"}
        return file and since is not None and (self.entry.used + 1) * 10**9 >= since

    @property
    def names_something(self) -> bool:
        """Whether there is anything that others may name too."""
        return DIGEST.search(self.text) is not None

    def reach(self, reach: Reach) -> None:
        """Reach all that it names."""
        if self.entry.kind == "image":
            reach.image(self.text)
        elif self.entry.kind != "volume":
            reach.fact(self.value, self.text)


def newest_first(database: sqlite3.Connection, root: Path) -> list[Found]:
    """All entries of a state folder, the most recently used first. Blocking: it measures the volumes."""
    found = [*_facts(database), *_images(root), *volumes(root)]
    return sorted(found, key=lambda each: each.entry.used, reverse=True)


def _facts(database: sqlite3.Connection) -> Iterator[Found]:
    rows = database.execute(
        "SELECT kind, key, value, sum, made, used FROM fact WHERE kind NOT IN (?, ?)", _OWN
    ).fetchall()
    for kind, key, text, total, made, used in rows:
        if total != checksum(kind, key, text):
            continue
        value = loads(text)
        title = value.get("title") if isinstance(value, dict) else None
        entry = CacheEntry(kind, key, title or f"{kind} {key[:64]}", made, used)
        yield Found(entry) if kind == NEAR else Found(entry, value, text)  # a hint keeps nothing


def _images(root: Path) -> Iterator[Found]:
    for file in names.files(root):
        text = file.read_text(encoding="ascii", errors="replace").strip()
        if text.startswith("sha256:"):
            name, seconds = str(file.relative_to(names.folder(root))), int(file.stat().st_mtime)
            yield Found(CacheEntry("image", name, f"image {name}", seconds, seconds), text=text)


def volumes(root: Path) -> Iterator[Found]:
    """The cache volumes, measured."""
    for folder in sorted((root / "volumes").iterdir()):
        if folder.is_dir():
            lock = folder.with_name(f"{folder.name}.lock")
            made = int(folder.stat().st_mtime)
            used = max(made, int(lock.stat().st_mtime)) if lock.exists() else made
            size, busy = measure(folder), lock.exists() and _busy(lock)
            name = f"cache volume {folder.name}"
            yield Found(CacheEntry("volume", folder.name, name, made, used, size, busy))


def _busy(lock: Path) -> bool:
    handle = leases.alone(lock)
    if handle is None:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)
    return False


def measure(folder: Path) -> int:
    """What a directory takes on disk, in bytes."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:  # whoever uses it has removed it
                continue
    return total
