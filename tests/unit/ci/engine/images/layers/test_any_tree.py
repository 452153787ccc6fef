"""Any tree packed and unpacked is the same tree; no tar, however malicious, writes outside its root."""

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ci.engine.images import BrokenImage, Member, pack, unpack
from ci.engine.store.blobs import Blobs

SECOND = 1_000_000_000

names = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=40
).filter(lambda name: name not in {".", ".."} and not name.startswith(".wh.") and len(name.encode()) < 255)
modes = st.integers(0, 0o7777)
times = st.integers(-(10**9), 2 * 10**9)
files = st.tuples(st.just("file"), st.binary(max_size=2000), modes, times)
links = st.tuples(
    st.just("symlink"), st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
)
leaves = st.one_of(files, links, st.tuples(st.just("fifo"), modes))
trees = st.recursive(
    st.dictionaries(names, leaves, max_size=4),
    lambda below: st.dictionaries(names, leaves | below, max_size=4),
)


def members(tree, above: str = "") -> Iterator[Member]:
    for name, node in tree.items():
        path = f"{above}{name}"
        match node:
            case dict():
                yield Member(path, "dir", 0o755)
                yield from members(node, f"{path}/")
            case ("file", data, mode, time):
                yield Member(
                    path,
                    mode=mode,
                    size=len(data),
                    mtime=time * SECOND,
                    open=lambda data=data: io.BytesIO(data),
                )
            case ("symlink", text):
                yield Member(path, "symlink", 0o777, link=text)
            case ("fifo", mode):
                yield Member(path, "fifo", mode)


def on_disk(root: Path):
    found = {}
    for entry in os.scandir(root):
        status = entry.stat(follow_symlinks=False)
        mode = stat.S_IMODE(status.st_mode)
        if entry.is_dir(follow_symlinks=False):
            found[entry.name] = on_disk(Path(entry.path))
        elif entry.is_symlink():
            found[entry.name] = ("symlink", os.readlink(entry.path))
        elif stat.S_ISFIFO(status.st_mode):
            found[entry.name] = ("fifo", mode)
        else:
            os.chmod(entry.path, 0o600)
            data = Path(entry.path).read_bytes()
            found[entry.name] = ("file", data, mode, status.st_mtime_ns // SECOND)
    return found


@contextmanager
def workshop() -> Iterator[Path]:
    # Hypothesis runs a test many times in one pytest fixture.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=40, deadline=None)
@given(trees)
def test_a_tree_that_is_packed_and_unpacked_is_the_same(tree):
    with workshop() as place:
        blobs = Blobs(place / "blobs")
        layer = pack(members(tree), blobs)
        assert pack(reversed(list(members(tree))), blobs) == layer
        (place / "root").mkdir()
        with blobs.open(layer.digest) as stream:
            for _ in unpack(stream, place / "root", own=False, diff_id=layer.diff_id):
                pass
        assert on_disk(place / "root") == tree


#: Few names, so that entries meet: what one makes, the next goes through.
pieces = st.sampled_from(["a", "b", "..", ".", "outside", ".wh.a", ".wh..wh..opq", ".wh...", "", "secret"])
paths = st.tuples(st.sampled_from(["", "", "/", "./"]), st.lists(pieces, min_size=1, max_size=4)).map(
    lambda drawn: drawn[0] + "/".join(drawn[1])
)
targets = st.one_of(
    paths,
    st.sampled_from(["{outside}", "{outside}/secret", "../outside", "../outside/secret", "/", "a/../.."]),
)
entries = st.lists(
    st.tuples(
        st.sampled_from([b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"x"]),
        paths,
        targets,
        st.binary(max_size=9),
    ),
    max_size=8,
)


def hostile(drawn, outside: Path) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for kind, name, target, data in drawn:
            info = tarfile.TarInfo()
            info.name, info.type, info.mode = name, kind, 0o777
            info.linkname = target.format(outside=outside)
            info.size = len(data) if kind in (b"0", b"7", b"x") else 0
            tar.addfile(info, io.BytesIO(data))
    stream.seek(0)
    return stream


def state(folder: Path):
    status = folder.stat()
    inside = [(name, (folder / name).lstat()) for name in sorted(os.listdir(folder))]
    marks = [(name, each.st_mode, each.st_nlink, each.st_mtime_ns, each.st_ino) for name, each in inside]
    return status.st_mode, status.st_mtime_ns, marks, os.listxattr(folder), (folder / "secret").read_bytes()


@settings(max_examples=120, deadline=None)
@given(entries)
def test_no_tar_writes_outside_its_root(drawn):
    with workshop() as place:
        (place / "outside").mkdir()
        (place / "outside/secret").write_bytes(b"mine")
        (place / "root").mkdir()
        before = state(place / "outside")
        try:
            for member in unpack(hostile(drawn, place / "outside"), place / "root", own=False):
                assert ".." not in member.path.split("/")
                assert not member.path.startswith("/")
        except (BrokenImage, OSError):
            pass
        assert state(place / "outside") == before
        assert sorted(os.listdir(place)) == ["outside", "root"]


@settings(max_examples=80, deadline=None)
@given(entries, st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_damaged_tar_is_an_error_of_ours_or_none(drawn, flips):
    with workshop() as place:
        (place / "outside").mkdir()
        (place / "outside/secret").write_bytes(b"mine")
        (place / "root").mkdir()
        data = bytearray(hostile(drawn, place / "outside").getvalue())
        for where, value in flips:
            data[where % len(data)] = value
        before = state(place / "outside")
        try:
            for _ in unpack(io.BytesIO(bytes(data)), place / "root", own=False):
                pass
        except (BrokenImage, OSError):
            pass
        assert state(place / "outside") == before
