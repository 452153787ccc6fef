"""Reading host directories: what is read again, and what is written."""

import os
import time
from pathlib import Path

import pytest

from ci.engine.graph.host.hostfiles import Reading, import_directory
from ci.engine.store import layers
from ci.engine.store.layers import Ownership
from ci.engine.store.patterns import Selection
from ci.engine.store.store import Store

LONG_AGO = (1_000_000_000, 1_000_000_000)


@pytest.fixture
def store(tmp_path):
    """A store."""
    opened = Store(tmp_path / "state", Ownership(on_disk=False))
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A directory whose files are old enough to be trusted."""
    root = tmp_path / "folder"
    for number in range(20):
        path = root / f"d{number % 3}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text {number}")
    return root


@pytest.fixture
def digested(monkeypatch) -> list[str]:
    """The names of the files whose bytes are read to learn their digest."""
    names: list[str] = []
    plain = layers.digest_file

    def noting(path: Path | str) -> str:
        names.append(Path(path).name)
        return plain(path)

    monkeypatch.setattr(layers, "digest_file", noting)
    return names


EVERYTHING = Selection.parse()


def read(store: Store, root: Path, selection: Selection = EVERYTHING):
    """What a directory is now; its files count as settled."""
    return import_directory(store, Reading(root, selection), now=time.time_ns() + 10**9)


def test_what_has_not_changed_is_not_read_again(store, folder, digested):
    first = read(store, folder)
    assert len(digested) == 20
    assert read(store, folder) == first
    assert len(digested) == 20


def test_one_changed_file_is_the_only_one_read_and_written(store, folder, digested):
    before = read(store, folder)
    digested.clear()
    (folder / "d1" / "1.txt").write_text("changed")
    after = read(store, folder)
    assert digested == ["1.txt"]
    assert after.tree != before.tree
    written = store.layer_path(after.near)
    assert [path.name for path in written.rglob("*") if path.is_file()] == ["1.txt"]
    assert read(store, folder) == after


def test_what_was_remembered_outlives_the_store(store, folder, digested, tmp_path):
    first = read(store, folder)
    digested.clear()
    again = Store(tmp_path / "state", Ownership(on_disk=False))
    assert read(again, folder) == first
    assert digested == []
    again.close()


def test_a_file_that_has_just_been_written_is_read_again(store, folder, digested):
    def now():
        return import_directory(store, Reading(folder, Selection.parse()), now=time.time_ns())

    now()
    digested.clear()
    (folder / "d0" / "0.txt").write_text("text X")
    first = now()
    (folder / "d0" / "0.txt").write_text("text Y")
    assert now().tree != first.tree


def test_a_time_that_was_set_back_does_not_hide_a_change(store, folder):
    path = folder / "d0" / "0.txt"
    os.utime(path, LONG_AGO)
    before = read(store, folder)
    path.write_text("TEXT 0")
    os.utime(path, LONG_AGO)
    assert read(store, folder).tree != before.tree


def test_a_file_that_is_gone_or_has_another_mode_is_seen(store, folder):
    trees = [read(store, folder).tree]
    (folder / "d0" / "0.txt").chmod(0o600)
    trees.append(read(store, folder).tree)
    (folder / "d0" / "3.txt").unlink()
    trees.append(read(store, folder).tree)
    (folder / "d2").chmod(0o700)
    trees.append(read(store, folder).tree)
    assert len(set(trees)) == 4


def test_each_selection_is_remembered_by_itself(store, folder):
    some = Selection.parse(["**/1*.txt"])
    whole, part = read(store, folder), read(store, folder, some)
    assert whole.tree != part.tree
    assert (read(store, folder), read(store, folder, some)) == (whole, part)
