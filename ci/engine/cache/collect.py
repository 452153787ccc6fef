"""Garbage collection: what was used last stays, as much as the policy allows; the rest goes.

First everything that stays is marked, from the results, images and leases that name it; that takes no lock.
Then the rest is swept in small batches. During a batch the sessions are held off, and what they have
leased meanwhile is marked too; what is younger than the oldest of them is never touched. Rows go before
the files that they name, so a kill at any instant leaves files that nobody knows, for the next collection.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ci.engine.cache.entries import CacheEntry, Found, newest_first, volumes
from ci.engine.cache.policy import Policy
from ci.engine.cache.reach import Reach
from ci.engine.cache.sweep import Sweep
from ci.engine.store import leases
from ci.engine.store.blobs import Blobs
from ci.engine.store.index import connect
from ci.engine.store.layers import discard


class Stopped(Exception):
    """The collection was asked to stop; what it had swept by then is gone, the rest is for the next one."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the cache takes, and what is left on its disk, in bytes."""

    used: int
    free: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a collection did: entries dropped, bytes that the cache takes less."""

    entries: int
    size: int


def usage(root: Path) -> Usage:
    """Measure a state folder. Blocking."""
    with contextlib.closing(connect(root / "index.sqlite")) as database:
        (layers,) = database.execute("SELECT coalesce(sum(size), 0) FROM layer").fetchone()
    index = (root / "index.sqlite").stat().st_size
    blobs = sum(_blobs(root).values())
    measured = sum(found.entry.size for found in volumes(root))
    return Usage(layers + index + blobs + measured, shutil.disk_usage(root).free)


def _blobs(root: Path) -> dict[str, int]:
    """The blobs on disk by digest, with their sizes."""
    found = {}
    for folder in (root / "blobs" / "sha256").glob("??"):
        with os.scandir(folder) as files:
            for file in files:
                with contextlib.suppress(FileNotFoundError):  # collected meanwhile
                    found[f"sha256:{file.name}"] = file.stat().st_size
    return found


def listed(root: Path) -> list[CacheEntry]:
    """The cache's entries, the most recently used first, with their sizes. Blocking."""
    with contextlib.closing(connect(root / "index.sqlite")) as database:
        there, held = _blobs(root), leases.held(root) or []
        since = min((each.since for each in held), default=None)
        leased = Reach(database, Blobs(root / "blobs"), there)
        for each in held:
            _mark_lease(leased, each)
        reach, entries = Reach(database, leased.blobs, there), []
        for found in newest_first(database, root):
            reach.begin()
            before = reach.size
            found.reach(reach)
            entry = found.entry
            entries.append(
                replace(
                    entry,
                    size=entry.size + reach.size - before,
                    active=entry.active or found.touched(since) or _relied_on(leased, found),
                )
            )
    return entries


def _relied_on(leased: Reach, found: Found) -> bool:
    """Whether a living session has leased what an entry names."""
    value = found.value
    if isinstance(value, dict) and isinstance(rootfs := value.get("rootfs"), list):
        return rootfs[0] in leased.nodes
    return isinstance(value, dict) and value.get("tree") in leased.nodes


def collect(
    root: Path, allowed: int, oldest: int = 0, stop: Callable[[], bool] = lambda: False
) -> Pruned | None:
    """Drop what does not fit into ``allowed`` bytes or was not used since ``oldest`` (seconds). Blocking.

    None when another collection is under way. Also drops what nothing leads to any more.

    Raises:
        Stopped: ``stop`` said so.
    """
    lock = leases.alone(root / "collect.lock")
    if lock is None:
        return None
    try:
        with contextlib.closing(_Collection(root, stop)) as collection:
            return collection.run(allowed, oldest)
    finally:
        os.close(lock)


def by_policy(root: Path, policy: Policy, stop: Callable[[], bool] = lambda: False) -> Pruned | None:
    """Collect if the policy asks for it; None if not. Blocking."""
    now = usage(root)
    allowed, oldest = policy.allowed(now.used, now.free), policy.oldest()
    if allowed is None:
        if now.used <= policy.reserved_space or not oldest or not _has_older(root, oldest):
            return None
        allowed = now.used
    return collect(root, allowed, oldest, stop)


def _has_older(root: Path, oldest: int) -> bool:
    with contextlib.closing(connect(root / "index.sqlite")) as database:
        row = database.execute(
            "SELECT 1 FROM fact WHERE kind NOT IN ('counter', 'boot') AND used < ? LIMIT 1", (oldest,)
        ).fetchone()
    return row is not None


def _mark_lease(reach: Reach, lease: leases.Held) -> None:
    for digest in lease.trees:
        reach.digest(digest)
    for number in lease.layers:
        reach.layer(number)


class _Collection:
    """One collection: ``run`` it."""

    def __init__(self, root: Path, stop: Callable[[], bool]) -> None:
        self._root = root
        self._stop = stop
        self._database = connect(root / "index.sqlite")
        self._reach = Reach(self._database, Blobs(root / "blobs"), _blobs(root))
        self._marked: set[leases.Held] = set()

    def close(self) -> None:
        """Close the index."""
        self._database.close()

    def run(self, allowed: int, oldest: int) -> Pruned:
        """Mark and sweep."""
        before = usage(self._root).used
        trash = self._root / "trash"
        discard(trash)
        trash.mkdir()
        held = self._leases()
        doomed = self._mark(allowed, oldest, min((each.since for each in held), default=None))
        sweep = Sweep(self._root, self._database, self._reach, trash)
        for batch in sweep.batches(doomed):
            self._in_turn(batch)
        self._database.execute("PRAGMA incremental_vacuum")
        self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        discard(trash)
        return Pruned(len(doomed), max(before - usage(self._root).used, 0))

    def _leases(self) -> list[leases.Held]:
        """What the living sessions rely on, marked."""
        while (held := leases.held(self._root)) is None:
            self._go_on()
            time.sleep(0.01)  # a session has just begun, and says at once what it is
        for lease in held:
            if lease not in self._marked:
                _mark_lease(self._reach, lease)
                self._marked.add(lease)
        return held

    def _in_turn(self, batch: Callable[[list[leases.Held]], None]) -> None:
        """Do one batch while no session looks anything up."""
        self._leases()  # most of the marking is done before they have to wait
        self._go_on()
        while True:
            with leases.excluding(self._root):
                if leases.held(self._root) is not None:
                    batch(self._leases())
                    return
            time.sleep(0.01)

    def _go_on(self) -> None:
        if self._stop():
            raise Stopped

    def _mark(self, allowed: int, oldest: int, since: int | None) -> list[Found]:
        """Mark what stays; returns what does not."""
        doomed: list[Found] = []
        taken = 0  # by what is no part of what is marked: volumes, and the facts themselves
        for found in newest_first(self._database, self._root):
            self._go_on()
            reach, entry = self._reach, found.entry
            reach.begin()
            before = reach.size
            found.reach(reach)
            own = entry.size + len(found.text)
            in_use = entry.active or found.touched(since)
            shared = found.names_something and reach.size == before
            fits = reach.size + taken + own <= allowed or shared
            if in_use or (fits and entry.used >= oldest):
                taken += own
            else:
                reach.undo()
                doomed.append(found)
        return doomed
