"""Layers on disk: one tree's difference to another, as a directory that overlayfs can stack.

A whiteout is a character device 0/0, an opaque directory carries the attribute
``user.overlay.opaque`` (kernel documentation, "Overlay Filesystem", with the option ``userxattr``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci.engine.store.tree import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    REGULAR,
    SYMLINK,
    Change,
    Clear,
    Entry,
    Put,
    Remove,
)

OPAQUE = "user.overlay.opaque"
_CHUNK = 1 << 20


class ChangedUnderway(Exception):
    """A file's bytes are no longer those that were read before, which had the sha256 ``digest``."""

    def __init__(self, message: str, digest: str) -> None:
        super().__init__(message)
        self.digest = digest


def digest_file(path: Path | str) -> str:
    """The sha256 of a file's bytes."""
    with open(path, "rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Ownership:
    """How owners are kept: on disk where this process may, else in the tree alone."""

    on_disk: bool

    def give(self, path: Path, entry: Entry) -> None:
        """Make ``path`` belong to the entry's owner, where owners are kept on disk."""
        if self.on_disk and (entry.uid or entry.gid):
            os.chown(path, entry.uid, entry.gid, follow_symlinks=False)

    def read(self, status: os.stat_result, before: Entry | None, actor: tuple[int, int]) -> tuple[int, int]:
        """The owner of what a step left behind.

        Where one uid stands for all, what was there keeps its owner and what is new belongs to the
        step's user, ``actor``.
        """
        if self.on_disk:
            return status.st_uid, status.st_gid
        return (before.uid, before.gid) if before is not None else actor


def write(
    changes: Iterable[Change], target: Path, source: Callable[[str, Entry], Path], ownership: Ownership
) -> Iterator[tuple[str, str]]:
    """Write changes into the empty directory ``target``; yields (sha256, path) of each file written.

    ``source`` tells where the bytes of a regular file at a path can be read.

    Raises:
        OSError: the disk is full, or a source can't be read.
        ChangedUnderway: a source no longer has the bytes that its entry promises.
    """
    folders: list[tuple[Path, Entry]] = []
    for change in changes:
        path = target / change.path
        if isinstance(change, Remove):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))
        elif isinstance(change, Clear):
            os.setxattr(path, OPAQUE, b"y")
        elif change.entry.kind == DIRECTORY:
            with contextlib.suppress(FileExistsError):
                path.mkdir()
            folders.append((path, change.entry))
        else:
            path.unlink(missing_ok=True)  # a whiteout of what the change replaces
            if change.entry.kind == REGULAR:
                _copy(source(change.path, change.entry), path, change.entry)
                yield change.entry.digest, change.path
            else:
                _special(path, change.entry)
            ownership.give(path, change.entry)
            if change.entry.kind != SYMLINK:
                os.chmod(path, change.entry.mode)
            os.utime(path, ns=(change.entry.mtime, change.entry.mtime), follow_symlinks=False)
    for path, entry in reversed(folders):
        ownership.give(path, entry)
        os.chmod(path, entry.mode)
        os.utime(path, ns=(entry.mtime, entry.mtime))


def _copy(source: Path, target: Path, entry: Entry) -> None:
    hasher = hashlib.sha256()
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        while chunk := reader.read(_CHUNK):
            hasher.update(chunk)
            writer.write(chunk)
    if hasher.hexdigest() != entry.digest:
        raise ChangedUnderway(f"{source}: changed while it was being read", entry.digest)


def _special(path: Path, entry: Entry) -> None:
    if entry.kind == SYMLINK:
        os.symlink(entry.digest, path)
    elif entry.kind == FIFO:
        os.mkfifo(path)
    else:
        major, minor = entry.digest.split(":")
        kind = stat.S_IFCHR if entry.kind == CHARACTER else stat.S_IFBLK
        with contextlib.suppress(PermissionError):
            os.mknod(path, kind, os.makedev(int(major), int(minor)))


def read(
    upper: Path, before: Callable[[str], Entry | None], ownership: Ownership, actor: tuple[int, int] = (0, 0)
) -> Iterator[Change]:
    """The changes that a step left in its upper directory, parents first.

    ``before`` tells what was at a path in the tree below; ``actor`` is the step's (uid, gid).
    """
    yield from _read(upper, "", before, ownership, actor)


def _read(
    folder: Path,
    prefix: str,
    before: Callable[[str], Entry | None],
    ownership: Ownership,
    actor: tuple[int, int],
) -> Iterator[Change]:
    with os.scandir(folder) as listing:
        items = sorted(listing, key=lambda item: item.name)
    for item in items:
        status = item.stat(follow_symlinks=False)
        path = prefix + item.name
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            yield Remove(path)
            continue
        if stat.S_ISSOCK(status.st_mode):
            continue
        uid, gid = ownership.read(status, before(path), actor)
        yield Put(path, entry_of(Path(item.path), status, uid, gid))
        if stat.S_ISDIR(status.st_mode):
            if is_opaque(item.path):
                yield Clear(path)
            yield from _read(Path(item.path), path + "/", before, ownership, actor)


def is_opaque(path: str) -> bool:
    """Whether a layer's directory hides what lies below it."""
    try:
        return os.getxattr(path, OPAQUE) == b"y"
    except OSError:
        return False


def entry_of(path: Path, status: os.stat_result, uid: int, gid: int, digest: str | None = None) -> Entry:
    """The entry of what is at ``path``; a regular file is read unless its sha256 is given."""
    mode = stat.S_IMODE(status.st_mode)
    match stat.S_IFMT(status.st_mode):
        case stat.S_IFDIR:
            return Entry(DIRECTORY, mode, uid, gid, "", 0, status.st_mtime_ns)
        case stat.S_IFLNK:
            return Entry(SYMLINK, 0o777, uid, gid, os.readlink(path), 0, status.st_mtime_ns)
        case stat.S_IFREG:
            return Entry(
                REGULAR, mode, uid, gid, digest or digest_file(path), status.st_size, status.st_mtime_ns
            )
        case stat.S_IFIFO:
            return Entry(FIFO, mode, uid, gid, "", 0, status.st_mtime_ns)
        case kind:
            device = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
            return Entry(
                BLOCK if kind == stat.S_IFBLK else CHARACTER, mode, uid, gid, device, 0, status.st_mtime_ns
            )


def discard(folder: Path) -> None:
    """Delete a directory tree, also one whose directories forbid it (overlayfs' ``work/work`` has mode 0)."""

    def retry(function: Callable[..., object], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700)
            function(path)

    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, onerror=retry)
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
