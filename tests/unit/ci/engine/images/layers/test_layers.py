"""Packing and unpacking are each other's opposite, and the bytes depend on the content alone."""

import gzip
import hashlib
import io
import os
import random
import stat
from dataclasses import replace

import pytest
from backports import zstd

from ci.engine.images import BrokenImage, Member, pack, unpack
from ci.engine.images.layers.compress import BLOCK, GzipWriter

SECOND = 1_000_000_000


def file(path: str, content: bytes = b"x", **more) -> Member:
    return Member(path, size=len(content), open=lambda: io.BytesIO(content), **more)


def extract(stream, dest, **options) -> dict[str, Member]:
    dest.mkdir()
    return {member.path: member for member in unpack(stream, dest, own=False, **options)}


MEMBERS = [
    Member("usr", "dir", 0o755, mtime=5 * SECOND),
    Member("usr/bin", "dir", 0o555),
    file("usr/bin/tool", b"#!tool", mode=0o4755, mtime=7 * SECOND),
    Member("usr/bin/again", "hardlink", 0o4755, link="usr/bin/tool"),
    Member("usr/bin/alias", "symlink", 0o777, link="/usr/bin/tool"),
    file("usr/" + "long/" * 60 + "näme", b"", uid=70000, gid=2**33),
    Member("pipe", "fifo", 0o600),
    file("big", random.Random(1).randbytes(3 * BLOCK + 17)),  # noqa: S311 - reproducible, not secret
]


def test_what_was_packed_is_unpacked(blobs, tmp_path):
    layer = pack(MEMBERS, blobs)
    with blobs.open(layer.digest) as stream:
        found = extract(stream, tmp_path / "root", diff_id=layer.diff_id)
    root = tmp_path / "root"
    assert (root / "usr/bin/tool").read_bytes() == b"#!tool"
    assert stat.S_IMODE((root / "usr/bin/tool").stat().st_mode) == 0o4755
    assert (root / "usr/bin/tool").stat().st_mtime == 7
    assert stat.S_IMODE((root / "usr/bin").stat().st_mode) == 0o555
    assert (root / "usr").stat().st_mtime == 5
    assert (root / "usr/bin/again").samefile(root / "usr/bin/tool")
    assert (root / "usr/bin/alias").readlink().as_posix() == "/usr/bin/tool"
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)
    assert (root / "big").stat().st_size == 3 * BLOCK + 17
    long = found["usr/" + "long/" * 60 + "näme"]
    assert (long.uid, long.gid) == (70000, 2**33)
    (root / "usr/bin").chmod(0o755)


def test_members_say_the_digest_of_what_was_written(blobs, tmp_path):
    layer = pack(MEMBERS, blobs)
    with blobs.open(layer.digest) as stream:
        found = extract(stream, tmp_path / "root")
    digest = f"sha256:{hashlib.sha256(b'#!tool').hexdigest()}"
    assert found["usr/bin/tool"].digest == digest
    assert (found["usr/bin/again"].digest, found["usr/bin/again"].size) == (digest, 6)
    (tmp_path / "root/usr/bin").chmod(0o755)


def test_the_order_of_members_does_not_show(blobs):
    assert pack(MEMBERS, blobs) == pack(reversed(MEMBERS), blobs)


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_the_number_of_cores_does_not_show(monkeypatch, cores):
    data = random.Random(2).randbytes(BLOCK) + bytes(2 * BLOCK) + b"end"  # noqa: S311 - reproducible, not secret
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    packed = io.BytesIO()
    with GzipWriter(packed) as writer:
        for at in range(0, len(data), 70_001):
            writer.write(data[at : at + 70_001])
    assert gzip.decompress(packed.getvalue()) == data
    assert hashlib.sha256(packed.getvalue()).hexdigest() == hashlib.sha256(once(data)).hexdigest()


def once(data: bytes) -> bytes:
    packed = io.BytesIO()
    with GzipWriter(packed) as writer:
        writer.write(data)
    return packed.getvalue()


def test_a_layer_of_nothing_is_a_layer(blobs, tmp_path):
    layer = pack([], blobs)
    with blobs.open(layer.digest) as stream:
        assert extract(stream, tmp_path / "root", diff_id=layer.diff_id) == {}


def test_a_file_that_changed_while_it_was_packed_fails_the_layer(blobs):
    with pytest.raises(ValueError, match="changed while it was packed"):
        pack([Member("log", size=1, open=lambda: io.BytesIO(b"longer"))], blobs)
    assert not list((blobs.root / "tmp").iterdir())


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress, zstd.compress])
def test_every_compression_of_oci_is_read(tar, tmp_path, squeeze):
    found = extract(io.BytesIO(squeeze(tar(("a", b"1")).getvalue())), tmp_path / "root")
    assert list(found) == ["a"]


def test_whiteouts_take_overlayfs_form(blobs, tmp_path):
    layer = pack([Member("etc", "dir", 0o755, opaque=True), Member("gone", whiteout=True)], blobs)
    with blobs.open(layer.digest) as stream:
        found = list(unpack(stream, tmp_path, own=False))
    assert {(m.path, m.whiteout, m.opaque) for m in found} == {
        ("etc", False, False),
        ("etc", False, True),
        ("gone", True, False),
    }
    status = (tmp_path / "gone").lstat()
    assert stat.S_ISCHR(status.st_mode)
    assert status.st_rdev == 0
    assert os.getxattr(tmp_path / "etc", "user.overlay.opaque") == b"y"


@pytest.mark.parametrize("first", [True, False])
def test_a_whiteout_hides_lower_layers_only_whichever_comes_first(tar, tmp_path, first):
    mark, content = (".wh.d", b""), [("d", None), ("d/new", b"1")]
    found = extract(tar(*([mark, *content] if first else [*content, mark])), tmp_path / "root")
    assert (tmp_path / "root/d/new").read_bytes() == b"1"
    assert os.getxattr(tmp_path / "root/d", "user.overlay.opaque") == b"y"
    assert found["d"].opaque


def test_a_file_replaces_its_own_whiteout(tar, tmp_path):
    extract(tar((".wh.f", b""), ("f", b"new")), tmp_path / "root")
    assert (tmp_path / "root/f").read_bytes() == b"new"


def test_directories_that_are_not_listed_are_marked_as_implied(tar, tmp_path):
    found = extract(tar(("a/b/c", b"")), tmp_path / "root")
    assert [path for path, member in found.items() if member.implied] == ["a", "a/b"]


def test_the_later_of_two_members_of_one_name_stays(tar, tmp_path):
    extract(tar(("x", None), ("x/y", b""), ("x", b"file")), tmp_path / "root")
    assert (tmp_path / "root/x").read_bytes() == b"file"


def test_a_layer_other_than_its_image_says_is_refused(tar, tmp_path):
    with pytest.raises(BrokenImage, match="but its image says sha256:0"):
        extract(tar(("a", b"1")), tmp_path / "root", diff_id="sha256:0")


@pytest.mark.parametrize("squeeze", [gzip.compress, zstd.compress, bytes])
def test_a_layer_cut_short_is_refused(tar, tmp_path, squeeze):
    whole = squeeze(tar(("a", random.Random(3).randbytes(99_999))).getvalue())  # noqa: S311 - reproducible, not secret
    with pytest.raises(BrokenImage, match="damaged"):
        extract(io.BytesIO(whole[: len(whole) // 2]), tmp_path / "root")


def test_extended_attributes_are_carried(blobs, tmp_path):
    layer = pack([file("cap", b"", xattrs=(("user.note", b"\x01\x00\xff"),))], blobs)
    with blobs.open(layer.digest) as stream:
        found = extract(stream, tmp_path / "root")
    assert found["cap"].xattrs == (("user.note", b"\x01\x00\xff"),)
    assert os.getxattr(tmp_path / "root/cap", "user.note") == b"\x01\x00\xff"


def test_a_hard_link_has_what_it_joins_even_where_that_cannot_be_read(tar, tmp_path):
    stream = tar(("f", b"1"), ("h", "=>f"), ("s", "->f"), ("t", "=>s"), uid=7, gid=8, mode=0o4000)
    found = extract(stream, tmp_path / "root")
    assert found["h"] == replace(found["f"], path="h", kind="hardlink", link="f")
    assert found["t"] == replace(found["s"], path="t", mode=0o777)
    assert stat.S_IMODE((tmp_path / "root/f").stat().st_mode) == 0o4000


def test_a_hard_link_says_the_digest_of_what_is_there_now(tar, tmp_path):
    # The second file may get the inode of the first, which is gone by then.
    again = [("f", b"1"), ("h", "=>f"), ("h", b""), ("f", b"2"), ("h", "=>f")]
    (tmp_path / "root").mkdir()
    *_, last = unpack(tar(*again), tmp_path / "root", own=False)
    assert last.digest == f"sha256:{hashlib.sha256(b'2').hexdigest()}"
