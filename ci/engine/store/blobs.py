"""Blobs on disk, named by the SHA-256 of their bytes.

A blob is complete or absent: bytes go to a temporary file in the same file system, are synced, and are
renamed into place once their digest is known. Two processes that store the same blob at once both succeed.
Before a blob is read its bytes are compared with its name, once in a session as long as its inode stays as
it is; one that is damaged is dropped, as if it had never been there.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Readable(Protocol):
    """Anything bytes can be read from, one chunk after the other."""

    def read(self, size: int = ..., /) -> bytes:
        """Up to `size` bytes; none at the end."""


class StoreError(Exception):
    """Something is wrong with what is stored, or with the place it is stored in."""


class BlobNotFound(StoreError):
    """There is no blob of that digest."""


class BlobMismatch(StoreError):
    """The bytes that came are not the bytes that were asked for."""


class StoreFull(StoreError):
    """The disk, or the user's share of it, is full."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of a stored blob; `size` is in bytes."""

    digest: str
    size: int


@contextlib.contextmanager
def room(folder: Path) -> Iterator[None]:
    """Turn "no space left" into a StoreFull that names the folder and the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StoreFull(
            f"no space left for {folder} ({_free(folder)}): free some space there, "
            "or keep the state folder on another disk"
        ) from error


def _free(folder: Path) -> str:
    existing = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    return f"{shutil.disk_usage(existing).free >> 20} MiB free"


_Inode = tuple[int, int, int, int]


def _inode(status: os.stat_result) -> _Inode:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class BlobWriter:
    """A binary file to write a new blob to; `digest` and `size` are those of the bytes so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        """Append `data`."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> str:
        """Digest of what was written so far."""
        return f"sha256:{self._hash.hexdigest()}"


class Blobs:
    """The blobs under one folder, at `sha256/<two hex digits>/<hex digits>`."""

    def __init__(
        self,
        root: Path,
        since: int = 0,
        sharing: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """Blobs that are asked for get at least the time ``since`` (ns), which says that they are in use.

        ``sharing`` holds the collector off meanwhile.
        """
        self.root = root
        self._scratch = root / "tmp"
        self._since = since
        self._sharing = sharing
        self._sound: dict[str, _Inode] = {}

    def path(self, digest: str) -> Path:
        """Where the blob is, or would be. Raises ValueError when `digest` is no SHA-256 digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a digest of the form sha256:<64 hex digits>")
        name = digest.removeprefix("sha256:")
        return self.root / "sha256" / name[:2] / name

    def has(self, digest: str) -> bool:
        """Whether the blob is here; from now on it is in use."""
        return self._status(digest) is not None

    def size(self, digest: str) -> int:
        """Size in bytes. Raises BlobNotFound."""
        status = self._status(digest)
        if status is None:
            raise self._absent(digest)
        return status.st_size

    def intact(self, digest: str) -> bool:
        """Whether the blob is here with the bytes that its name promises; one that is damaged is dropped."""
        status = self._status(digest)
        if status is None or self._sound.get(digest) == _inode(status):
            return status is not None
        path = self.path(digest)
        try:
            with path.open("rb") as stream:
                found = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        except OSError:  # gone meanwhile, or on a bad sector
            found = ""
        if found != digest:
            path.unlink(missing_ok=True)
            return False
        self._sound[digest] = _inode(status)
        return True

    def _status(self, digest: str) -> os.stat_result | None:
        path = self.path(digest)
        try:
            status = path.stat()
            if status.st_mtime_ns >= self._since:
                return status
            with self._sharing():
                os.utime(path)
                fresh = path.stat()
        except FileNotFoundError:
            return None
        if self._sound.get(digest) == _inode(status):
            self._sound[digest] = _inode(fresh)
        return fresh

    def open(self, digest: str) -> BinaryIO:
        """Open for reading. Raises BlobNotFound, also when the bytes had been damaged."""
        if not self.intact(digest):
            raise self._absent(digest)
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise self._absent(digest) from None

    def read(self, digest: str) -> bytes:
        """All of a small blob. Raises BlobNotFound."""
        with self.open(digest) as stream:
            return stream.read()

    def put(self, stream: Readable, expected: str | None = None) -> Blob:
        """Store what `stream` yields. Raises BlobMismatch when its digest is not `expected`, StoreFull."""
        with self.writer(expected) as writer:
            while chunk := stream.read(CHUNK):
                writer.write(chunk)
        return Blob(writer.digest, writer.size)

    def put_bytes(self, data: bytes) -> Blob:
        """Store `data`; nothing is written when it is here already. Raises StoreFull."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if self.intact(digest):
            return Blob(digest, len(data))
        with self.writer() as writer:
            writer.write(data)
        return Blob(writer.digest, writer.size)

    @contextlib.contextmanager
    def writer(self, expected: str | None = None) -> Iterator[BlobWriter]:
        """A file to write one blob to; it is stored when the block ends well and forgotten otherwise.

        Raises BlobMismatch at the end of the block when the digest is not `expected`, StoreFull.
        """
        with room(self.root):
            self._scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._scratch, delete=False) as file:
                temporary = Path(file.name)
                try:
                    writer = BlobWriter(file)  # type: ignore[arg-type]
                    yield writer
                    file.flush()
                    if not self.intact(writer.digest):
                        os.fsync(file.fileno())
                    self._settle(temporary, writer.digest, expected)
                finally:
                    temporary.unlink(missing_ok=True)

    def adopt(self, file: Path, expected: str) -> Blob:
        """Take over a finished download that lies in the same file system; `file` is gone afterwards.

        Raises BlobMismatch (and removes the file, as nothing good can come of it), StoreFull.
        """
        with room(self.root), file.open("rb") as stream:
            digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
            size = stream.tell()
            os.fsync(stream.fileno())
            try:
                self._settle(file, digest, expected)
            finally:
                file.unlink(missing_ok=True)
        return Blob(digest, size)

    def _settle(self, file: Path, digest: str, expected: str | None) -> None:
        if expected is not None and digest != expected:
            raise BlobMismatch(f"expected {expected}, but the bytes that came have {digest}")
        if self.intact(digest):
            return
        target = self.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.chmod(0o644)
        file.rename(target)

    def _absent(self, digest: str) -> BlobNotFound:
        return BlobNotFound(
            f"blob {digest} is not in {self.root}: what needs it has to be pulled or built again"
        )
