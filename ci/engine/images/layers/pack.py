"""From members to a layer: a tar whose bytes depend on the members alone."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from ci.engine.images.image import OCI_LAYER, Layer
from ci.engine.images.layers.compress import GzipWriter, Writable
from ci.engine.images.layers.member import OPAQUE, WHITEOUT, Member
from ci.engine.store.blobs import CHUNK, Blobs

_TYPES = {
    "file": tarfile.REGTYPE,
    "dir": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
    "char": tarfile.CHRTYPE,
    "block": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE,
}
_XATTR = "SCHILY.xattr."
_END = bytes(2 * tarfile.BLOCKSIZE)


def pack(members: Iterable[Member], blobs: Blobs) -> Layer:
    """Store a gzip'd layer tar of `members`, in any order. The same members give the same digest.

    Raises OSError when a member cannot be read, StoreFull.
    """
    with blobs.writer() as blob, GzipWriter(blob) as compressed:
        tar = _Hashing(compressed)
        write_tar(members, tar)
    return Layer(blob.digest, f"sha256:{tar.hash.hexdigest()}", blob.size, f"{OCI_LAYER}+gzip")


def write_tar(members: Iterable[Member], dest: Writable) -> None:
    """Write the plain tar, sorted by path with hard links last, times cut to seconds.

    Raises ValueError when a file's content is not as long as its member says, OSError.
    """
    for member in sorted(_marks(members), key=_order):
        dest.write(_header(member))
        if member.kind == "file" and member.size:
            _content(member, dest)
    dest.write(_END)


class _Hashing:
    def __init__(self, dest: Writable) -> None:
        self._dest = dest
        self.hash = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        """Pass `data` on."""
        self.hash.update(data)
        return self._dest.write(data)


def _order(member: Member) -> tuple[bool, tuple[str, ...]]:
    # A directory comes before what is in it, and a hard link after the file that it joins.
    return member.kind == "hardlink", PurePosixPath(member.path).parts


def _marks(members: Iterable[Member]) -> Iterator[Member]:
    """Whiteouts and opaque marks as the files that OCI's layer format has for them."""
    for member in members:
        folder, _, name = member.path.rpartition("/")
        prefix = f"{folder}/" if folder else ""
        if member.whiteout:
            yield _mark(f"{prefix}{WHITEOUT}{name}", member)
            continue
        yield member
        if member.opaque:
            inside = "" if member.path == "." else f"{member.path}/"
            yield _mark(f"{inside}{OPAQUE}", member)


def _mark(path: str, member: Member) -> Member:
    return replace(Member(path), mtime=member.mtime, uid=member.uid, gid=member.gid)


def _header(member: Member) -> bytes:
    info = tarfile.TarInfo("./" if member.path == "." else member.path)
    info.type = _TYPES[member.kind]
    info.mode, info.uid, info.gid = member.mode & 0o7777, member.uid, member.gid
    info.mtime = member.mtime // 1_000_000_000
    info.linkname = member.link
    info.size = member.size if member.kind == "file" else 0
    info.devmajor, info.devminor = member.device
    info.pax_headers = {
        f"{_XATTR}{name}": value.decode("utf-8", "surrogateescape") for name, value in sorted(member.xattrs)
    }
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(member: Member, dest: Writable) -> None:
    if member.open is None:
        raise ValueError(f"{member.path} has a size of {member.size} bytes but no content")
    left = member.size
    with member.open() as stream:
        while left and (chunk := stream.read(min(left, CHUNK))):
            left -= len(chunk)
            dest.write(chunk)
        if left or stream.read(1):
            raise ValueError(f"{member.path} is not {member.size} bytes long: it changed while it was packed")
    if padding := -member.size % tarfile.BLOCKSIZE:
        dest.write(bytes(padding))
