"""A cache that is exported from one state folder is the same cache in another one, or none at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.engine.cache import collect
from ci.engine.cache.transfer import layout, packing
from ci.engine.cache.transfer.document import Document, Unreadable, without_near
from ci.engine.images import Image
from ci.engine.images.image import ImageConfig
from ci.engine.store import algebra
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, Snapshot

PLATFORM = "linux/amd64"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    """A session with something in its cache."""
    store = Store(tmp_path / "here", Ownership(on_disk=False))
    yield store
    if not store.closed:
        store.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Store]:
    """A session on a fresh state folder."""
    store = Store(tmp_path / "there", Ownership(on_disk=False))
    yield store
    store.close()


def step(store: Store, key: str, before: Snapshot, **files: bytes) -> Snapshot:
    """Record a step that wrote files over a file system."""
    tree = before.tree
    for name, content in files.items():
        tree = algebra.put(store.trees, tree, name, store.new_file(content))
    store.show(Snapshot(tree, before.near))
    after = Snapshot(tree, store.shown(tree))
    out, _ = store.keep(b"printed by " + key.encode())
    value = {"exit": 0, "out": [out] * 3, "rootfs": [after.tree, after.near], "mounts": [], "title": key}
    store.index.record("exec", key, value)
    return after


def test_results_and_all_their_bytes_arrive(here: Store, there: Store, tmp_path: Path) -> None:
    first = step(here, "one", Snapshot(EMPTY), a=b"a" * 5000, b=b"b")
    second = step(here, "two", first, b=b"changed")
    assert layout.write(tmp_path / "out", packing.packed(here, PLATFORM), here.blobs) > 0
    image = layout.read(tmp_path / "out", there.blobs)
    assert image is not None
    assert packing.unpacked(there, image) == 2
    value = there.index.fact("exec", "two")
    assert value == without_near(here.index.fact("exec", "two"))
    assert {path: there.read(e.digest) for path, e in there.files(second.tree)} == {
        "a": b"a" * 5000,
        "b": b"changed",
    }
    assert there.read(value["out"][0]) == b"printed by two"


def test_what_is_there_already_is_not_written_again(here: Store, there: Store, tmp_path: Path) -> None:
    first = step(here, "one", Snapshot(EMPTY), a=b"a" * 5000)
    layout.write(tmp_path / "out", packing.packed(here, PLATFORM), here.blobs)
    assert layout.write(tmp_path / "out", packing.packed(here, PLATFORM), here.blobs) == 0
    image = layout.read(tmp_path / "out", there.blobs)
    assert image is not None
    packing.unpacked(there, image)
    assert there.index.fact("exec", "one") is not None
    there.show(Snapshot(first.tree))
    assert layout.write(tmp_path / "out", packing.packed(there, PLATFORM), there.blobs) == 0


def test_a_step_after_an_import_starts_from_the_layers_that_came_with_it(here: Store, there: Store) -> None:
    first = step(here, "one", Snapshot(EMPTY), a=b"a" * 5000)
    second = step(here, "two", first, b=b"b")
    image = packing.packed(here, PLATFORM)
    for layer in image.layers:
        with here.blobs.open(layer.digest) as stream:
            there.blobs.put(stream)
    packing.unpacked(there, image)
    there.show(Snapshot(first.tree))
    top, _below = there.show(Snapshot(second.tree))
    assert [path.name for path in top.iterdir()] == ["b"]


def test_only_what_the_session_used_is_exported(here: Store, tmp_path: Path) -> None:
    step(here, "used", Snapshot(EMPTY), a=b"a")
    here.close()
    again = Store(here.root, Ownership(on_disk=False))
    step(again, "other", Snapshot(EMPTY), b=b"b")
    document = packing.packed(again, PLATFORM)
    again.close()
    fresh = Store(tmp_path / "fresh", Ownership(on_disk=False))
    layout.write(tmp_path / "out", document, again.blobs)
    image = layout.read(tmp_path / "out", fresh.blobs)
    assert image is not None
    packing.unpacked(fresh, image)
    assert fresh.index.fact("exec", "used") is None
    assert fresh.index.fact("exec", "other") is not None
    fresh.close()


@pytest.mark.parametrize("which", ["manifest", "facts", "pack"])
def test_a_damaged_cache_is_no_cache(here: Store, there: Store, tmp_path: Path, which: str) -> None:
    step(here, "one", Snapshot(EMPTY), a=b"a" * 5000)
    image = packing.packed(here, PLATFORM)
    layout.write(tmp_path, image, here.blobs)
    place = tmp_path / "blobs/sha256"
    names = {layer.digest[7:] for layer in image.layers}
    file = {
        "manifest": lambda: next(
            f for f in place.iterdir() if f.name not in names and b"schemaVersion" in f.read_bytes()
        ),
        "facts": lambda: place / image.layers[0].digest[7:],
        "pack": lambda: place / image.layers[1].digest[7:],
    }[which]()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(Unreadable):
        layout.read(tmp_path, there.blobs)
    assert collect.listed(there.root) == []


def test_another_image_is_no_cache(there: Store) -> None:
    with pytest.raises(Unreadable, match="not a cache"):
        packing.unpacked(there, Image(ImageConfig(), ()))


def test_an_empty_folder_is_no_cache_yet(there: Store, tmp_path: Path) -> None:
    assert layout.read(tmp_path, there.blobs) is None


def test_a_listing_under_another_digest_is_refused() -> None:
    lying = Document((), {"0" * 64: b"[]"}, (), ())
    with pytest.raises(Unreadable, match="damaged"):
        Document.from_json(lying.to_json())


@pytest.mark.parametrize("text", [b"", b"[]", b'{"version":2}', b'{"version":1}', b"\xff"])
def test_what_is_no_document_is_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        Document.from_json(text)
