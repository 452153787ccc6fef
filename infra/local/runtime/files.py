"""The files that a container writes: in memory, gone with it, and counted as its memory, as on Cloud Run.

https://cloud.google.com/run/docs/container-contract#filesystem
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ci.engine.sandbox import kernel


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder for one container's changes."""

    folder: Path
    _limited: bool

    def used(self) -> int:
        """Bytes of memory that its files take."""
        return _used(self.folder) if self._limited else 0


@contextmanager
def scratch(parent: Path, name: str, size: int) -> Iterator[Scratch]:
    """A folder below `parent` that holds at most `size` bytes, and is gone afterwards. Blocking.

    It is on disk, and not limited, where the kernel's file system in memory can't hold an overlay's upper
    layer (before Linux 6.6 it has no user attributes). Needs ci.engine.sandbox.enter(). Raises OSError.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{name[:40]}-", dir=parent))
    limited = _holds_attributes(parent)
    try:
        if limited:
            _mount(folder, size)
        yield Scratch(folder, limited)
    finally:
        if limited:
            with suppress(OSError):
                kernel.unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)


def in_memory(pid: int, folders: Iterable[str]) -> int:
    """The bytes of memory that folders in the container of a process take; none when it can't be seen."""
    return sum(_used(Path(f"/proc/{pid}/root/{folder.lstrip('/')}")) for folder in folders)


def _used(place: Path) -> int:
    try:
        found = os.statvfs(place)
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _mount(folder: Path, size: int) -> None:
    kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"size={size},mode=0755")


@cache
def _holds_attributes(parent: Path) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="attributes-", dir=parent))
    try:
        _mount(folder, 1 << 20)
        try:
            os.setxattr(folder, "user.overlay.opaque", b"y")
        finally:
            kernel.unmount(folder)
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EPERM, errno.ENODEV}:
            raise
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True
