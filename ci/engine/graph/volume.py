"""Cache volumes: directories that outlive steps and sessions, by a key."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from ci.engine.graph.files import Directory
from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.graph.steps.users import Owner
from ci.engine.store import algebra, layers
from ci.engine.store.tree import EMPTY

if TYPE_CHECKING:
    from ci.engine.store.store import Store
    from ci.engine.store.tree import Snapshot

_PAUSE, _LONGEST_PAUSE = 0.005, 0.1  # seconds between two looks at whether a volume is free


@dataclass(frozen=True)
class CacheVolume(Digested):
    """A cache volume's name; its contents never count for a cache key."""

    key: str
    source: Directory | None = None
    sharing: str = "SHARED"
    owner: str = ""

    def folder(self, store: Store) -> Path:
        """Where the volume is kept: another source, owner or sharing mode makes it another volume."""
        sharing = "" if self.sharing == "SHARED" else self.sharing
        name = fingerprint("volume", self.key, self.source, self.owner, sharing)[:32]
        return store.root / "volumes" / name


def populate(store: Store, folder: Path, source: Snapshot | None, owner: Owner | None) -> None:
    """Make a volume's directory, with its first contents, in one step that a kill can't leave half done.

    All of it is the owner's, when there is one.
    """
    with store.sharing():  # from now on it is in use, see ci.engine.cache.sweep
        folder.with_name(f"{folder.name}.lock").touch(0o600)
        if folder.is_dir():
            return
    fresh = store.scratch()
    if source is not None and source.tree != EMPTY:
        tree = source.tree
        if owner is not None:
            uid, gid = owner.uid, owner.gid
            tree = algebra.transform(store.trees, tree, lambda each: each._replace(uid=uid, gid=gid))
        changes = algebra.difference(store.trees, EMPTY, tree)
        for _ in layers.write(changes, fresh, lambda _, entry: store.locate(entry.digest), store.ownership):
            pass
    fresh.chmod(0o755)
    if owner is not None and store.ownership.on_disk:
        os.chown(fresh, owner.uid, owner.gid)
    with contextlib.suppress(OSError):  # another session was first
        os.rename(fresh, folder)
    layers.discard(fresh)


def _lock(folder: Path) -> int:
    """Open the file whose lock says that a volume's directory is in use."""
    place = folder.with_name(folder.name + ".lock")
    return os.open(place, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def _taken(lock: int) -> bool:
    """Take a lock, unless somebody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.asynccontextmanager
async def held(folder: Path, sharing: str) -> AsyncIterator[Path]:
    """Use a volume's directory by its sharing mode: at once, in turn (LOCKED), or one's own (PRIVATE)."""
    if sharing == "SHARED":
        yield folder
        return
    own, number, lock = folder, 0, _lock(folder)
    while sharing == "PRIVATE" and not _taken(lock):
        os.close(lock)
        number += 1
        own = folder.with_name(f"{folder.name}-{number}")
        own.mkdir(exist_ok=True)
        lock = _lock(own)
    try:
        pause = _PAUSE
        # A thread that waits in flock(2) could not be called back, and would keep the engine from its end.
        while sharing == "LOCKED" and not _taken(lock):
            await anyio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        yield own
    finally:
        os.close(lock)
