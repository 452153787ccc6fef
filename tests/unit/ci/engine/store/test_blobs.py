"""A blob is complete or absent."""

import errno
import hashlib
import io

import pytest

from ci.engine.store.blobs import BlobMismatch, BlobNotFound, Blobs, StoreFull, room


@pytest.fixture
def blobs(tmp_path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def files(blobs: Blobs) -> list[str]:
    return [path.name for path in blobs.root.rglob("*") if path.is_file()]


def test_a_blob_is_found_by_the_digest_of_its_bytes(blobs):
    stored = blobs.put(io.BytesIO(b"hello"))
    assert (stored.digest, stored.size) == (digest(b"hello"), 5)
    assert blobs.has(stored.digest)
    assert blobs.read(stored.digest) == b"hello"
    assert blobs.path(stored.digest).parts[-3:-1] == ("sha256", stored.digest[7:9])


def test_bytes_other_than_expected_are_not_kept(blobs):
    with pytest.raises(BlobMismatch, match=digest(b"good")):
        blobs.put(io.BytesIO(b"bad"), expected=digest(b"good"))
    assert files(blobs) == []


def test_a_writer_that_fails_leaves_nothing(blobs):
    def fail_halfway():
        with blobs.writer() as writer:
            writer.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert files(blobs) == []


def test_storing_the_same_twice_is_storing_it_once(blobs):
    blobs.put_bytes(b"x")
    blobs.put_bytes(b"x")
    assert len(files(blobs)) == 1


def test_a_finished_download_is_taken_over(blobs, tmp_path):
    part = tmp_path / "part"
    part.write_bytes(b"layer")
    assert blobs.adopt(part, digest(b"layer")).size == 5
    assert not part.exists()
    assert blobs.read(digest(b"layer")) == b"layer"


def test_a_damaged_download_is_thrown_away(blobs, tmp_path):
    part = tmp_path / "part"
    part.write_bytes(b"lay_r")
    with pytest.raises(BlobMismatch):
        blobs.adopt(part, digest(b"layer"))
    assert not part.exists()
    assert files(blobs) == []


def test_a_blob_that_is_not_there_is_named(blobs):
    with pytest.raises(BlobNotFound, match=digest(b"?")):
        blobs.open(digest(b"?"))


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:../../etc/passwd", "md5:" + "0" * 32, "sha256:" + "A" * 64]
)
def test_what_is_no_digest_is_no_path(blobs, text):
    with pytest.raises(ValueError, match="not a digest"):
        blobs.path(text)


def test_a_full_disk_names_the_folder_and_the_remedy(tmp_path):
    with pytest.raises(StoreFull, match=f"no space left for {tmp_path}.*free some space"), room(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_other_failures_of_the_disk_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), room(tmp_path):
        raise PermissionError(errno.EACCES, "no")
