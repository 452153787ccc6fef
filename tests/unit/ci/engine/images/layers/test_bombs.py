"""A layer cannot use up the disk, the memory or the patience of who unpacks it."""

import contextlib
import gzip
import io
import os
import tarfile
import tracemalloc

import pytest
from backports import zstd

from ci.engine.images import BrokenImage, unpack
from ci.engine.images.layers.bounds import Bounds

TIGHT = Bounds(free=1 << 20, ratio=200)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def used(root) -> int:
    return sum(file.stat().st_blocks * 512 for file in root.rglob("*"))


@pytest.mark.parametrize("squeeze", [gzip.compress, zstd.compress])
def test_a_decompression_bomb_is_refused_before_it_fills_the_disk(tar, root, squeeze):
    bomb = squeeze(tar(("zeros", bytes(8 << 20))).getvalue())
    with pytest.raises(BrokenImage, match=r"decompression bomb.*than 200 times.*more than 1 MiB"):
        list(unpack(io.BytesIO(bomb), root, own=False, bounds=TIGHT))
    assert used(root) < 8 << 20


def test_a_layer_that_is_large_but_no_bomb_is_unpacked(tar, root):
    data = os.urandom(1 << 17) + bytes(8 << 20)
    found = list(
        unpack(io.BytesIO(gzip.compress(tar(("f", data)).getvalue(), 1)), root, own=False, bounds=TIGHT)
    )
    assert found[0].size == len(data)


def test_the_holes_of_a_sparse_file_count(root):
    header = tarfile.TarInfo("sparse")
    header.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 50), "GNU.sparse.major": "0"}
    layer = header.tobuf(tarfile.PAX_FORMAT) + bytes(1024)
    with pytest.raises(BrokenImage, match=r"bomb|damaged"):
        list(unpack(io.BytesIO(layer), root, own=False, bounds=TIGHT))
    assert used(root) < 8 << 20


def _header(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


class Endless:
    """A stream of a beginning and zeros without end."""

    def __init__(self, head: bytes) -> None:
        self._head = io.BytesIO(head)

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or bytes(size)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_gigabytes_is_not_read_into_memory(root, kind):
    tracemalloc.start()
    with pytest.raises(BrokenImage, match="header of"):
        list(unpack(Endless(_header(kind, 8 << 30)), root, own=False))
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_headers_that_follow_each_other_without_end_are_refused(root, kind):
    layer = _header(kind, 0) * 5000 + _header(tarfile.REGTYPE, 0)
    with pytest.raises(BrokenImage, match=r"without end|damaged"):
        list(unpack(io.BytesIO(layer), root, own=False))


def test_attributes_for_all_that_follows_do_not_pile_up(root):
    layer = b"".join(
        tarfile.TarFile.tarinfo.create_pax_global_header({f"a{turn}": "x"})
        + tarfile.TarInfo(f"f{turn}").tobuf()
        for turn in range(150)
    )
    with pytest.raises(BrokenImage, match="without end"):
        list(unpack(io.BytesIO(layer), root, own=False))


def test_an_entry_of_a_negative_size_is_refused(root):
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 11 + b"\x00"
    total = sum(header[:148]) + 8 * 32 + sum(header[156:])
    header[148:156] = f"{total:06o}\0 ".encode()
    with pytest.raises(BrokenImage):
        list(unpack(io.BytesIO(bytes(header) * 3), root, own=False))


@pytest.mark.parametrize(
    "attributes",
    [{"mtime": "1e400"}, {"mtime": "9" * 30}, {"mtime": "nan"}, {"uid": "-7"}, {"uid": str(2**70)}],
)
def test_attributes_that_no_file_can_have_are_no_crash(root, attributes):
    with contextlib.suppress(BrokenImage):
        list(unpack(io.BytesIO(_pax(attributes)), root, own=os.getuid() == 0))
    assert [file.name for file in root.iterdir()] in ([], ["f"])


def _pax(attributes: dict[str, str]) -> bytes:
    info = tarfile.TarInfo("f")
    info.pax_headers = attributes
    return info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def test_entries_are_not_kept_once_they_are_unpacked(root):
    def layer(count: int) -> io.BytesIO:
        # The same file again and again: what grows is the reader's memory alone.
        return io.BytesIO(tarfile.TarInfo("f").tobuf() * count + bytes(1024))

    def peak(count: int) -> int:
        source = layer(count)
        tracemalloc.start()
        for _ in unpack(source, root, own=False):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small, large = peak(50), peak(500)
    assert large < small + 150_000


def test_members_arrive_while_the_layer_does(tar, root):
    whole = tar(*((f"f{turn}", bytes(20_000)) for turn in range(100))).getvalue()
    source = io.BytesIO(whole)
    first = next(iter(unpack(source, root, own=False)))
    assert first.path == "f0"
    assert source.tell() < len(whole)
