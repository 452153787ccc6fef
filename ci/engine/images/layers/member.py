"""One entry of a layer's tar, free of tar's own details."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

Kind = Literal["file", "dir", "symlink", "hardlink", "char", "block", "fifo"]

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"

#: In nanoseconds, which modification times are in.
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Member:  # pylint: disable=too-many-instance-attributes  # tar's fields
    """A file, directory, link or mark of a layer.

    `path` is relative to the root ("usr/bin/env"); "." is the root itself. `mode` holds permission bits only,
    `size` is in bytes, `mtime` in nanoseconds. `link` is a symlink's text, or the path of the file that a
    hard link joins. `digest` ("sha256:...") is that of a regular file's bytes, where known.

    `whiteout`: what lower layers have at `path` is gone. `opaque`: what lower layers have *under* the
    directory is gone; what the same layer has there stays, whichever comes first. `implied`: the layer does
    not list this directory, it only has something in it or a mark on it; its attributes are made up, and a
    lower layer's should be kept.
    """

    path: str
    kind: Kind = "file"
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0
    link: str = ""
    open: Callable[[], BinaryIO] | None = None
    whiteout: bool = False
    opaque: bool = False
    implied: bool = False
    digest: str | None = None
    device: tuple[int, int] = (0, 0)
    xattrs: tuple[tuple[str, bytes], ...] = ()


def from_tar(info: tarfile.TarInfo, path: str, kind: Kind) -> Member:
    """What a tar says of one of its entries, but for its content and extended attributes."""
    return Member(
        path=path or ".",
        kind=kind,
        mode=info.mode & 0o7777,
        uid=info.uid,
        gid=info.gid,
        size=info.size if kind == "file" else 0,
        mtime=int(info.mtime * SECOND),
        link=info.linkname,
        device=(info.devmajor, info.devminor) if kind in {"char", "block"} else (0, 0),
    )
