"""What a path means inside a container: symbolic links, mounts over its root, and what is missing."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ci.engine.sandbox.errors import SandboxError

_MAX_LINKS = 40  # as the kernel's own limit


@dataclass(frozen=True, slots=True)
class _Placeholder:
    """An empty file or directory made only to be mounted on, and the parent's times before that."""

    path: Path
    accessed: int
    modified: int


@dataclass(slots=True)
class Tree:
    """The container's file tree as the engine can reach it before the container exists.

    ``root`` is where its root is mounted. Mounts are added in order; one without a place on the host (proc, a
    tmpfs) is opaque: paths below it are taken as they are, and made by whoever mounts it.
    """

    root: Path
    _mounts: dict[str, Path | None] = field(default_factory=dict)
    _fixed: set[str] = field(default_factory=set)
    _placeholders: list[_Placeholder] = field(default_factory=list)

    def resolve(self, path: str) -> str:
        """``path`` as absolute, free of links and dots; the part that does not exist is kept as it is.

        Raises:
            SandboxError: links go in circles.
        """
        pending = path.split("/")[::-1]
        here = ""
        links = 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                here = here.rpartition("/")[0]
                continue
            candidate = f"{here}/{part}"
            link = None if candidate in self._mounts else self._link(candidate)
            if link is None:
                here = candidate
                continue
            links += 1
            if links > _MAX_LINKS:
                msg = f"sandbox: {path} in the container: its symbolic links go in circles; name another path"
                raise SandboxError(msg)
            pending.extend(link.split("/")[::-1])
            if link.startswith("/"):
                here = ""
        return here or "/"

    def add_mount(self, target: str, source: Path | None, *, directory: bool, fixed: bool = False) -> str:
        """Make sure that ``target`` can be mounted on, remember what is seen there, and return it resolved.

        Nothing will ever be made in a mount that is ``fixed``.

        Raises:
            SandboxError: the target is of another kind than the source, or can't be made.
        """
        resolved = self.resolve(target)
        if resolved == "/":
            msg = f"sandbox: mount target {target} is the container's root; mount on a path below it"
            raise SandboxError(msg)
        self._make(resolved, directory=directory, placeholder=True, owner=None)
        self._mounts[resolved] = source
        self._fixed.discard(resolved)
        if fixed:
            self._fixed.add(resolved)
        return resolved

    def working_directory(self, path: str, uid: int, gid: int) -> str:
        """Resolve ``path``, creating what is missing of it for the given owner."""
        resolved = self.resolve(path)
        if resolved != "/":
            self._make(resolved, directory=True, placeholder=False, owner=(uid, gid))
        return resolved

    def remove_placeholders(self) -> None:
        """Remove what add_mount() created and nobody filled; the times of its parents are as they were."""
        for made in reversed(self._placeholders):
            with suppress(OSError):
                status = made.path.lstat()
                if stat.S_ISDIR(status.st_mode):
                    made.path.rmdir()
                elif stat.S_ISREG(status.st_mode) and status.st_size == 0:
                    made.path.unlink()
                else:
                    continue
                os.utime(made.path.parent, ns=(made.accessed, made.modified))
        self._placeholders.clear()

    def _place(self, path: str) -> tuple[str, Path | None]:
        """The mount that a resolved path is on, and where it is on the host, if anywhere."""
        mount = path
        while mount and mount not in self._mounts:
            mount = mount.rpartition("/")[0]
        source = self._mounts[mount] if mount else self.root
        return mount, None if source is None else Path(f"{source}{path[len(mount) :]}")

    def _link(self, path: str) -> str | None:
        _, place = self._place(path)
        if place is None:
            return None
        try:
            return os.readlink(place)
        except OSError:
            return None  # not a link, or not there

    def _make(self, path: str, *, directory: bool, placeholder: bool, owner: tuple[int, int] | None) -> None:
        mount, place = self._place(path)
        if place is None:
            return
        try:
            found = place.stat()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._cannot(path, error) from error
        else:
            if stat.S_ISDIR(found.st_mode) != directory:
                is_a, wanted = ("directory", "file") if not directory else ("file", "directory")
                msg = f"sandbox: {path} in the container is a {is_a}, and a {wanted} is wanted there"
                raise SandboxError(msg)
            return
        if mount in self._fixed:
            msg = (
                f"sandbox: {path} in the container does not exist and {mount}, where it would be, is "
                "read-only; create it in the source of that mount, or make the mount writable"
            )
            raise SandboxError(msg)
        parent = path.rpartition("/")[0]
        if parent and parent != mount:
            self._make(parent, directory=True, placeholder=placeholder, owner=owner)
        before = place.parent.stat()
        try:
            if directory:
                place.mkdir(mode=0o755)
                place.chmod(0o755)  # whatever the umask
            else:
                place.touch(mode=0o644)
            if owner is not None:
                _give(place, *owner)
        except OSError as error:
            raise self._cannot(path, error) from error
        if placeholder:
            self._placeholders.append(_Placeholder(place, before.st_atime_ns, before.st_mtime_ns))

    @staticmethod
    def _cannot(path: str, error: OSError) -> SandboxError:
        return SandboxError(
            f"sandbox: cannot make {path} in the container: {error.strerror} ({error.filename})"
        )


@contextmanager
def tree(root: Path) -> Iterator[Tree]:
    """A Tree over ``root`` whose placeholders are removed at the end."""
    view = Tree(root)
    try:
        yield view
    finally:
        view.remove_placeholders()


def _give(path: Path, uid: int, gid: int) -> None:
    """Change the owner, unless the engine's user namespace has but one: then everything is the user's."""
    with suppress(OSError):
        os.chown(path, uid, gid)
