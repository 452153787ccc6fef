"""Making files under a root that hostile names cannot leave.

Every step goes from an open directory to the next with O_NOFOLLOW. Where an earlier member of the same layer
put a symlink in a directory's place, it is resolved here, by its text and within the root, as a chroot would.
"""

import os
import shutil
import stat
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Self

from ci.engine.images.errors import BrokenImage

_MAX_LINKS = 40
_MAX_OPEN = 64
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Within:
    """An open root directory; `folder()` gives open directories below it, made where there are none."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open: OrderedDict[tuple[str, ...], int] = OrderedDict()
        #: Directories that were made because something lies in them, and whether each hides what lower layers
        #: have there, as it was a whiteout before; the caller empties it.
        self.implied: list[tuple[str, bool]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()
        os.close(self._root)

    def folder(self, parts: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """The directory at `parts`, as an open descriptor (valid until the next call) and its true place."""
        waiting, links = list(reversed(parts)), 0
        place: tuple[str, ...] = ()
        descriptor = self._root
        while waiting:
            name = waiting.pop()
            if name == "..":
                place = place[:-1]
            else:
                try:
                    descriptor = self._enter(descriptor, (*place, name))
                    place = (*place, name)
                    continue
                except NotADirectoryError:
                    links += 1
                    target = self._link(descriptor, name, parts, links)
                    place = () if target.startswith("/") else place
                    waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
            descriptor = self.folder(place)[0]
        return descriptor, place

    def forget(self) -> None:
        """Close what is open: call it when a directory has been taken away."""
        while self._open:
            os.close(self._open.popitem()[1])

    def remove(self, folder: int, name: str) -> os.stat_result | None:
        """Remove what is at `name`, directories with all that is in them; what it was, None if nothing."""
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(name, dir_fd=folder)
            self.forget()
        else:
            os.unlink(name, dir_fd=folder)
        return found

    def _enter(self, parent: int, place: tuple[str, ...]) -> int:
        known = self._open.get(place)
        if known is not None:
            self._open.move_to_end(place)
            return known
        try:
            descriptor = os.open(place[-1], _DIRECTORY, dir_fd=parent)
        except FileNotFoundError:
            descriptor = self._make(parent, place, hides=False)
        except NotADirectoryError:
            found = os.stat(place[-1], dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISCHR(found.st_mode) or found.st_rdev:
                raise
            # A whiteout speaks of lower layers: the same layer may have something in a new directory there.
            os.unlink(place[-1], dir_fd=parent)
            descriptor = self._make(parent, place, hides=True)
            os.setxattr(descriptor, "user.overlay.opaque", b"y")
        self._open[place] = descriptor
        # Deep trees would otherwise run into the limit of open files; the last few are the useful ones.
        if len(self._open) > _MAX_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    def _make(self, parent: int, place: tuple[str, ...], *, hides: bool) -> int:
        os.mkdir(place[-1], 0o755, dir_fd=parent)
        self.implied.append(("/".join(place), hides))
        return os.open(place[-1], _DIRECTORY, dir_fd=parent)

    @staticmethod
    def _link(folder: int, name: str, parts: tuple[str, ...], links: int) -> str:
        path = "/".join(parts)
        if links > _MAX_LINKS:
            raise BrokenImage(
                f"{path!r} goes through more than {_MAX_LINKS} symbolic links: do not use this image"
            )
        try:
            return os.readlink(name, dir_fd=folder)
        except OSError as error:
            raise BrokenImage(
                f"{path!r} has {name!r} as a directory, which is a file: pull the image again"
            ) from error
