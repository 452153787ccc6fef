"""Whether a layer's files are still those that were put there: told by their inodes, proved by their bytes.

A seal is a digest over every name in a layer with its inode, mode, size, and times of change. It costs no
reading, and no program that writes to a file can keep it (the kernel sets ctime). Where it is broken - also
by a copy of the whole state folder - the bytes are read, and decide.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci.engine.store.layers import digest_file
from ci.engine.store.tree import REGULAR, Entry


@dataclass(frozen=True, slots=True)
class Seal:
    """A layer's state on disk; ``size`` is what it takes there, in bytes."""

    digest: str
    size: int


def seal(folder: Path) -> Seal:
    """The seal of a layer's directory as it is now. Blocking.

    Raises:
        OSError: it can't be read.
    """
    sum_, size = hashlib.sha256(), 0
    seen: set[int] = set()
    for path, status in _walk(str(folder), ""):
        if stat.S_ISDIR(status.st_mode):
            row = f"{path}\0{status.st_mode}\n"
        else:
            times = f"{status.st_mtime_ns}\0{status.st_ctime_ns}"
            row = f"{path}\0{status.st_ino}\0{status.st_mode}\0{status.st_size}\0{times}\n"
        sum_.update(row.encode("utf-8", "surrogateescape"))
        if status.st_ino not in seen:
            seen.add(status.st_ino)
            size += status.st_blocks * 512
    return Seal(sum_.hexdigest(), size)


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as listing:
        items = sorted(listing, key=lambda item: item.name)
    for item in items:
        status = item.stat(follow_symlinks=False)
        yield prefix + item.name, status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(item.path, f"{prefix}{item.name}/")


def damaged(folder: Path, expected: Callable[[str], Entry | None]) -> str | None:
    """The first path in a layer that has other bytes than ``expected`` says, or None. Reads everything.

    ``expected`` gives the entry that a path has in the tree that the layer shows.
    """
    for path, status in _walk(str(folder), ""):
        if not stat.S_ISREG(status.st_mode):
            continue
        entry = expected(path)
        if entry is None or entry.kind != REGULAR or digest_file(folder / path) != entry.digest:
            return path
    return None
