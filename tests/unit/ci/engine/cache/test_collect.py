"""Garbage collection: the least recently used goes, what a session uses stays, and a kill loses only time."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ci.engine.cache import collect
from ci.engine.cache.policy import Policy
from ci.engine.store import algebra
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, Lost, Snapshot

MB = 1 << 20
Open = Callable[[], Store]


def result(store: Store, key: str, content: bytes = b"", used: int = 0) -> Snapshot:
    """Record a step's result: a file system with one file of its own, used last at a time."""
    data = content or key.encode() * (MB // len(key))
    tree = algebra.put(store.trees, EMPTY, "file", store.new_file(data))
    store.show(Snapshot(tree))
    snapshot = Snapshot(tree, store.shown(tree))
    value = {"exit": 0, "out": [], "rootfs": [snapshot.tree, snapshot.near], "mounts": [], "title": key}
    store.index.record("exec", key, value)
    if used:
        with sqlite3.connect(store.root / "index.sqlite") as database:
            database.execute("UPDATE fact SET used = ? WHERE key = ?", (used, key))
    return snapshot


def kept(store: Store, snapshot: Snapshot) -> bool:
    """Whether every byte of a file system can still be had."""
    try:
        return all(store.read(entry.digest) for _, entry in store.files(snapshot.tree))
    except Lost:
        return False


@pytest.fixture
def three(session: Open) -> list[Snapshot]:
    """Results of an earlier session, from the one used last to the oldest."""
    store = session()
    made = [result(store, key, used=used) for key, used in (("new", 300), ("middle", 200), ("old", 100))]
    store.close()
    return made


def test_with_no_room_left_the_least_recently_used_goes_first(
    root: Path, session: Open, three: list[Snapshot]
) -> None:
    pruned = collect.collect(root, allowed=5 * MB)
    assert pruned is not None
    assert pruned.entries == 1
    assert pruned.size >= 1.9 * MB  # its layer, and the blob that the layer was made of
    store = session()
    assert [kept(store, each) for each in three] == [True, True, False]
    assert store.index.fact("exec", "old") is None
    assert store.index.fact("exec", "new") is not None


def test_what_is_too_old_goes_though_there_is_room(root: Path, session: Open, three: list[Snapshot]) -> None:
    collect.collect(root, allowed=1 << 40, oldest=250)
    store = session()
    assert [kept(store, each) for each in three] == [True, False, False]


def test_all_goes_when_nothing_may_stay(root: Path, session: Open, three: list[Snapshot]) -> None:
    collect.collect(root, allowed=0)
    assert collect.listed(root) == []
    assert list((root / "layers").iterdir()) == []
    assert list((root / "blobs/sha256").glob("??/*")) == []
    assert not kept(session(), three[0])


def test_what_a_session_has_looked_up_stays_for_as_long_as_it_lives(
    root: Path, session: Open, three: list[Snapshot]
) -> None:
    store = session()
    assert store.index.fact("exec", "old") is not None
    collect.collect(root, allowed=0)
    assert [kept(store, each) for each in three] == [False, False, True]
    assert store.show(three[2])
    store.close()
    collect.collect(root, allowed=0)
    assert not kept(session(), three[2])


def test_what_a_session_has_made_stays_also_when_it_is_recorded_nowhere(root: Path, session: Open) -> None:
    store = session()
    tree = algebra.put(store.trees, EMPTY, "a/b", store.new_file(b"x"))
    store.index.flush()
    folder = store.show(Snapshot(algebra.put(store.trees, EMPTY, "c", store.new_file(b"y"))))
    collect.collect(root, allowed=0)
    fresh = Store(root, store.ownership)
    assert kept(fresh, Snapshot(tree))
    assert folder[0].is_dir()
    fresh.close()


def test_a_blob_that_a_session_has_asked_for_stays(root: Path, session: Open) -> None:
    first = session()
    blob = first.blobs.put_bytes(b"x")
    first.close()
    os.utime(root / "blobs/sha256" / blob.digest[7:9] / blob.digest[7:], ns=(0, 0))
    second = session()
    assert second.blobs.has(blob.digest)
    collect.collect(root, allowed=0)
    assert second.blobs.has(blob.digest)


def test_results_that_share_their_bytes_take_them_once(root: Path, session: Open) -> None:
    store = session()
    for key in ("one", "two"):
        result(store, key, b"same" * MB)
    store.close()
    sizes = sorted(entry.size for entry in collect.listed(root))
    assert sizes[0] == 0
    assert sizes[1] >= 4 * MB


def test_a_collection_beside_another_does_nothing(root: Path, three: list[Snapshot]) -> None:
    script = (
        "import sys, pathlib; from ci.engine.store import leases; "
        "handle = leases.alone(pathlib.Path(sys.argv[1])); print(handle is not None, flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(root / "collect.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert collect.collect(root, allowed=0) is None
        holder.communicate("\n")
    assert collect.collect(root, allowed=0) == collect.Pruned(3, pytest.approx(6 * MB, rel=0.2))


@pytest.mark.parametrize("batch", range(1, 9))
def test_a_collection_that_is_killed_loses_only_time(
    root: Path, session: Open, three: list[Snapshot], batch: int
) -> None:
    script = (
        "import os, sys, pathlib; from ci.engine.cache import collect\n"
        "left = [int(sys.argv[2])]\n"
        "def stop():\n    left[0] -= 1\n    left[0] or os.kill(os.getpid(), 9)\n"
        "collect.collect(pathlib.Path(sys.argv[1]), 5 << 20, stop=stop)"
    )
    subprocess.run([sys.executable, "-c", script, str(root), str(batch)], check=False)
    store = session()
    assert kept(store, three[0])
    again = result(store, "old")
    assert kept(store, again)
    store.close()
    collect.collect(root, allowed=0)
    assert list((root / "layers").iterdir()) == []


def test_the_policy_prunes_what_is_too_much_and_nothing_else(
    root: Path, session: Open, three: list[Snapshot]
) -> None:
    assert collect.by_policy(root, Policy(max_used_space=100 * MB)) is None
    pruned = collect.by_policy(root, Policy(max_used_space=5 * MB, target_space=3 * MB))
    assert pruned is not None
    assert pruned.entries == 2
    assert kept(session(), three[0])
