"""The store: layers on disk show what their trees say, and survive what may happen to them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ci.engine.store import algebra, layers
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Lost, Store
from ci.engine.store.tree import EMPTY, Entry, Snapshot, Trees


def with_files(store: Store, tree: str, files: dict[str, bytes]) -> str:
    for path, content in files.items():
        tree = algebra.put(store.trees, tree, path, store.new_file(content))
    return tree


def test_a_shown_tree_has_the_bytes_modes_and_links_that_it_names(store: Store) -> None:
    tree = with_files(store, EMPTY, {"a/b": b"hello"})
    tree = algebra.put(store.trees, tree, "a/run", store.new_file(b"#!", mode=0o755))
    tree = algebra.put(store.trees, tree, "link", Entry("l", 0o777, 0, 0, "a/b", 0))
    (folder,) = store.show(Snapshot(tree))
    assert (folder / "a/b").read_bytes() == b"hello"
    assert (folder / "a/run").stat().st_mode & 0o777 == 0o755
    assert (folder / "link").read_bytes() == b"hello"


def test_a_tree_near_another_is_shown_by_a_layer_with_the_difference_alone(store: Store) -> None:
    first = Snapshot(with_files(store, EMPTY, {"big": b"x" * 1000, "gone": b"y"}))
    store.show(first)
    near = store.shown(first.tree)
    tree = algebra.remove(store.trees, with_files(store, first.tree, {"new": b"z"}), "gone")
    top, below = store.show(Snapshot(tree, near))
    assert sorted(os.listdir(top)) == ["gone", "new"]
    assert (top / "gone").is_char_device()
    assert (below / "big").exists()


def test_what_a_step_wrote_becomes_a_tree(store: Store) -> None:
    before = Snapshot(with_files(store, EMPTY, {"keep": b"k", "drop": b"d"}))
    store.show(before)
    upper = store.scratch()
    (upper / "new").write_bytes(b"n")
    os.mknod(upper / "drop", 0o020000, os.makedev(0, 0))
    after = store.capture(upper, before, (0, 0))
    assert {path for path, _ in store.trees.walk(after.tree)} == {"keep", "new"}
    assert len(store.show(after)) == 2


def test_a_step_that_wrote_nothing_leaves_the_same_tree_and_no_layer(store: Store) -> None:
    before = Snapshot(with_files(store, EMPTY, {"keep": b"k"}))
    upper = store.scratch()
    assert store.capture(upper, before, (0, 0)) is before


def test_a_layer_that_was_deleted_is_written_again_from_the_blobs(store: Store) -> None:
    snapshot = Snapshot(with_files(store, EMPTY, {"a": b"1"}))
    (folder,) = store.show(snapshot)
    shutil.rmtree(folder)
    (again,) = store.show(snapshot)
    assert (again / "a").read_bytes() == b"1"


def test_bytes_that_are_gone_everywhere_are_an_error_that_names_them(store: Store) -> None:
    tree = store.trees.save({"a": Entry("f", 0o644, 0, 0, "0" * 64, 1)})
    with pytest.raises(Lost, match="0000"):
        store.show(Snapshot(tree))


def test_a_deep_chain_is_written_again_as_one_layer_on_its_base(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci.engine.store.store.MAX_DEPTH", 5)
    snapshot = Snapshot(EMPTY)
    for number in range(12):
        tree = with_files(store, snapshot.tree, {f"f{number}": b"x"})
        snapshot = Snapshot(tree, snapshot.near)
        assert len(store.show(snapshot)) <= 5
        snapshot = Snapshot(tree, store.shown(tree))
    assert len(list(store.trees.walk(snapshot.tree))) == 12


def test_trees_and_layers_are_there_in_the_next_session(tmp_path: Path) -> None:
    first = Store(tmp_path, Ownership(on_disk=False))
    tree = with_files(first, EMPTY, {"a": b"1"})
    first.show(Snapshot(tree))
    first.close()
    second = Store(tmp_path, Ownership(on_disk=False))
    assert second.shown(tree) is not None
    assert second.read(next(entry.digest for _, entry in second.files(tree))) == b"1"
    second.close()


def test_scratch_space_of_a_killed_session_is_swept_by_the_next(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from ci.engine.store.store import Store;"
        "from ci.engine.store.layers import Ownership;"
        "s = Store(Path(sys.argv[1]), Ownership(on_disk=False)); (s.scratch() / 'half').write_text('x');"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert list((tmp_path / "scratch").rglob("half"))
    Store(tmp_path, Ownership(on_disk=False)).close()
    assert not list((tmp_path / "scratch").iterdir())


def test_scratch_space_of_a_session_under_way_is_left_alone(tmp_path: Path) -> None:
    first = Store(tmp_path, Ownership(on_disk=False))
    folder = first.scratch()
    Store(tmp_path, Ownership(on_disk=False)).close()
    assert folder.is_dir()
    first.close()


def test_a_source_that_changes_while_it_is_read_is_refused(store: Store, tmp_path: Path) -> None:
    tree = store.trees.save({"a": store.new_file(b"first")})
    changed = tmp_path / "changed"
    changed.write_bytes(b"second")
    store.blobs.path(f"sha256:{store.trees.load(tree)['a'].digest}").unlink()
    with pytest.raises(layers.ChangedUnderway):
        store.adopt(Snapshot(tree), lambda _path, _entry: changed)
    assert store.shown(tree) is None


def test_what_a_dying_process_wrote_after_its_session_was_swept_goes_with_the_next_one(store: Store) -> None:
    left = store.root / "scratch" / "dead"
    (left / "1").mkdir(parents=True)
    other = Store(store.root, Ownership(on_disk=False))
    assert not left.exists()
    assert store.scratch().is_dir()
    other.close()


def test_what_is_forgotten_by_memory_is_read_from_the_index_and_nothing_stays_empty(store: Store) -> None:
    trees = Trees(store.index, remembered=2)
    made = [trees.save({str(number): store.new_file(b"x")}) for number in range(5)]
    assert [list(trees.load(digest)) for digest in made] == [[str(number)] for number in range(5)]
    assert trees.load(trees.save({})) == {}
