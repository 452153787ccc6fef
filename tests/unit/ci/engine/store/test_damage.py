"""A flipped byte, is found when it is read; what it is part of is dropped, not served."""

import os
import sqlite3
from pathlib import Path

import pytest

from ci.engine.store import algebra
from ci.engine.store.blobs import BlobNotFound
from ci.engine.store.index import BrokenIndex
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, Lost, Snapshot


def flip(path: Path, at: int = 0) -> None:
    """Change one byte of a file and leave its time of change as it was."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def reopened(store: Store) -> Store:
    """Another session on the same state."""
    return Store(store.root, Ownership(on_disk=False))


def tree_of(store: Store, **files: bytes) -> Snapshot:
    tree = EMPTY
    for path, content in files.items():
        tree = algebra.put(store.trees, tree, path, store.new_file(content))
    return Snapshot(tree)


def test_in_a_blob(store: Store) -> None:
    blob = store.blobs.put_bytes(b"precious")
    flip(store.blobs.path(blob.digest))
    with pytest.raises(BlobNotFound):
        store.blobs.read(blob.digest)
    assert not store.blobs.has(blob.digest)
    assert store.blobs.read(store.blobs.put_bytes(b"precious").digest) == b"precious"


def test_in_a_blob_that_is_about_to_be_stored_again(store: Store) -> None:
    blob = store.blobs.put_bytes(b"precious")
    flip(store.blobs.path(blob.digest))
    store.blobs.put_bytes(b"precious")
    assert store.blobs.path(blob.digest).read_bytes() == b"precious"


def test_in_a_layers_file_that_is_read(store: Store) -> None:
    snapshot = tree_of(store, a=b"one")
    (folder,) = store.show(snapshot)
    digest = store.trees.load(snapshot.tree)["a"].digest
    flip(folder / "a")
    with pytest.raises(Lost, match="damaged"):
        store.read(digest)
    assert store.shown(snapshot.tree) is None


def test_in_a_layers_file_that_is_copied_into_another_layer(store: Store) -> None:
    snapshot = tree_of(store, a=b"one")
    (folder,) = store.show(snapshot)
    flip(folder / "a")
    store.blobs.path("sha256:" + store.trees.load(snapshot.tree)["a"].digest).unlink()
    other = algebra.put(store.trees, EMPTY, "b", store.trees.load(snapshot.tree)["a"])
    with pytest.raises(Lost, match="damaged"):
        store.show(Snapshot(other))


def test_in_a_layer_that_is_to_be_shown_which_is_then_written_anew(store: Store) -> None:
    snapshot = tree_of(store, a=b"one", b=b"two")
    (folder,) = store.show(snapshot)
    flip(folder / "b")
    with_blobs = reopened(store)
    (again,) = with_blobs.show(snapshot)
    with_blobs.close()
    assert again != folder
    assert (again / "b").read_bytes() == b"two"


def test_a_layer_that_was_only_copied_is_read_once_and_sealed_anew(store: Store) -> None:
    snapshot = tree_of(store, a=b"one")
    (folder,) = store.show(snapshot)
    content = (folder / "a").read_bytes()
    (folder / "a").unlink()
    (folder / "a").write_bytes(content)
    other = reopened(store)
    assert other.show(snapshot) == (folder,)
    other.close()


def test_in_a_listing_of_the_index(store: Store) -> None:
    snapshot = tree_of(store, a=b"one")
    store.index.flush()
    with sqlite3.connect(store.root / "index.sqlite") as database:
        (data,) = database.execute("SELECT data FROM node WHERE digest = ?", (snapshot.tree,)).fetchone()
        database.execute(
            "UPDATE node SET data = ? WHERE digest = ?", (data.replace(b"420", b"421"), snapshot.tree)
        )
    other = reopened(store)
    with pytest.raises(Lost):
        other.trees.load(snapshot.tree)
    other.close()


def test_in_a_result_of_the_index(store: Store) -> None:
    store.index.record("exec", "key", {"exit": 0})
    assert store.index.fact("exec", "key") == {"exit": 0}
    with sqlite3.connect(store.root / "index.sqlite") as database:
        database.execute("UPDATE fact SET value = replace(value, '0', '1') WHERE kind = 'exec'")
    assert store.index.fact("exec", "key") is None


def test_in_the_index_itself_which_is_then_started_anew(tmp_path: Path) -> None:
    first = Store(tmp_path, Ownership(on_disk=False))
    (before,) = first.show(tree_of(first, a=b"one"))
    first.close()
    flip(tmp_path / "index.sqlite")
    again = Store(tmp_path, Ownership(on_disk=False))
    (after,) = again.show(tree_of(again, a=b"one"))
    again.close()
    assert before != after
    assert (after / "a").read_bytes() == b"one"


def test_in_the_index_while_a_session_uses_it_which_is_one_clear_error(tmp_path: Path) -> None:
    store = Store(tmp_path, Ownership(on_disk=False))
    with sqlite3.connect(tmp_path / "index.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(BrokenIndex, match="run again"):
        store.index.fact("exec", "key")
