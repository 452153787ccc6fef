"""An image's layers, one over the other, are what OCI says they are: a tree, and the same on disk."""

import io
import tarfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ci.engine.graph import imaging
from ci.engine.images import Image, ImageConfig, Layer
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store
from ci.engine.store.tree import DIRECTORY

names = st.sampled_from("abc")
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
entries = st.tuples(paths, st.sampled_from(["file", "dir", "whiteout", "opaque"]))
layers = st.lists(entries, max_size=6)


def sensible(layer):
    """Without what tools refuse or leave open: two of one path, or something below a file."""
    found = {}
    for path, kind in layer:
        if kind in {"file", "dir"} and path not in found:
            above = path.split("/")[:-1]
            if any(found.get("/".join(above[:end])) == "file" for end in range(1, len(above) + 1)):
                continue
            if kind == "file" and any(other.startswith(f"{path}/") for other in found):
                continue
            found[path] = kind
    marks = [(path, kind) for path, kind in layer if kind in {"whiteout", "opaque"}]
    # A mark makes its directory, so it cannot lie in a file.
    files = {path for path, kind in found.items() if kind == "file"}

    def in_a_file(path: str, kind: str) -> bool:
        parts = path.split("/")
        most = len(parts) + (kind == "opaque")
        return any("/".join(parts[:end]) in files for end in range(1, most))

    return [*found.items(), *(mark for mark in marks if not in_a_file(*mark))]


class Model:
    """What layers over each other come to: path to (kind, number of the layer whose file it is)."""

    def __init__(self, stack) -> None:
        self.tree: dict[str, tuple[str, int]] = {}
        for number, layer in enumerate(stack):
            # Marks speak of the layers below, wherever they stand in their own.
            for path, kind in layer:
                if kind in {"whiteout", "opaque"}:
                    self.drop(path, itself=kind == "whiteout")
            for path, kind in layer:
                self.add(path, kind, number)

    def drop(self, path: str, *, itself: bool) -> None:
        for other in list(self.tree):
            if other.startswith(f"{path}/") or (itself and other == path):
                del self.tree[other]

    def directory(self, path: str) -> None:
        if self.tree.get(path, ("",))[0] != "dir":
            self.drop(path, itself=True)
            self.tree[path] = ("dir", 0)

    def add(self, path: str, kind: str, number: int) -> None:
        parts = path.split("/")
        for end in range(1, len(parts)):
            self.directory("/".join(parts[:end]))
        if kind in {"dir", "opaque"}:
            self.directory(path)
        elif kind == "file":
            self.drop(path, itself=True)
            self.tree[path] = ("file", number)


def tarred(layer, number: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, kind in layer:
            folder, _, name = path.rpartition("/")
            prefix = f"{folder}/" if folder else ""
            data = b""
            match kind:
                case "whiteout":
                    info = tarfile.TarInfo(f"{prefix}.wh.{name}")
                case "opaque":
                    info = tarfile.TarInfo(f"{path}/.wh..wh..opq")
                case _:
                    info = tarfile.TarInfo(path)
                    info.mode = 0o755
            if kind == "dir":
                info.type = tarfile.DIRTYPE
            if kind == "file":
                data = str(number).encode()
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def in_tree(store, digest: str, above: str = ""):
    found = {}
    for name, entry in store.trees.load(digest).items():
        path = f"{above}{name}"
        if entry.kind == DIRECTORY:
            found[path] = ("dir", 0)
            found |= in_tree(store, entry.digest, f"{path}/")
        else:
            with store.open(entry.digest) as file:
                found[path] = ("file", int(file.read()))
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("state"), Ownership(on_disk=False))


@settings(max_examples=60, deadline=None)
@given(st.lists(layers, min_size=1, max_size=3), st.sampled_from([1, -1]))
@example([[("a/b", "file")], [("a", "whiteout"), ("a/c", "file")]], 1)
@example([[("a/b", "file")], [("a", "whiteout"), ("a/c", "file")]], -1)
@example([[("a/b", "file")], [("a/b", "whiteout")], [("a", "opaque")]], 1)
@example([[("a/b", "file")], [("a/b", "whiteout")], [("a", "opaque")]], -1)
@example([[("a", "file")], [("a/b", "whiteout")]], 1)
@example([[("a", "file")], [("a/b", "whiteout")]], -1)
def test_layers_over_each_other_are_what_oci_says(store, drawn, step):
    stack = [sensible(layer)[::step] for layer in drawn]
    made = []
    for number, layer in enumerate(stack):
        blob = store.blobs.put_bytes(tarred(layer, number))
        made.append(Layer(blob.digest, blob.digest, blob.size, ""))
    shown = imaging.show(store, Image(ImageConfig(), tuple(made)))
    assert in_tree(store, shown.tree) == Model(stack).tree
