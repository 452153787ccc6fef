"""A root file system in the making: members by path, merged from packages and added by hand."""

import dataclasses
import io
import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from ci.engine.images.errors import BootstrapFailed
from ci.engine.images.layers.member import Member

#: The directories that a merged system has in /usr, with links in their old places.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32")
_MAX_LINKS = 40


class Root:
    """Members by path, as a merged-/usr system has them; `mtime` (ns) is that of what is made here."""

    def __init__(self, mtime: int) -> None:
        self.mtime = mtime
        self._members: dict[str, Member] = {}
        self.directory(".")

    def members(self) -> Iterator[Member]:
        """Everything in it."""
        yield from self._members.values()

    def install(self, members: Iterable[Member], keep: Callable[[str], bool] = lambda _path: True) -> None:
        """Add what a package has, as dpkg does: a directory that is there keeps its attributes.

        `keep` says by path which of its files are wanted; directories always are.
        """
        for member in members:
            if member.kind != "dir" and not keep(member.path):
                continue
            path = self._merge(member.path)
            present = self._members.get(path)
            # A directory may find a link to a directory in its place, and leaves it.
            if (
                member.kind == "dir"
                and present is not None
                and present.kind in {"dir", "symlink"}
                and path != "."
            ):
                continue
            link = self._merge(member.link) if member.kind == "hardlink" else member.link
            self._members[path] = dataclasses.replace(member, path=path, link=link)

    def _merge(self, path: str) -> str:
        top, slash, rest = path.partition("/")
        if top not in MERGED:
            return path
        if top not in self._members:
            self.symlink(top, f"usr/{top}")
        # The directory itself ("lib") stays the link that it is.
        return f"usr/{top}/{rest}" if slash else path

    def __contains__(self, path: str) -> bool:
        return self.resolve(path) is not None

    def resolve(self, path: str) -> str | None:
        """Where `path` leads when every symlink is followed, None when nowhere."""
        waiting, place, links = list(reversed(path.strip("/").split("/"))), "", 0
        while waiting:
            name = waiting.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                place = posixpath.dirname(place)
                continue
            here = posixpath.join(place, name)
            member = self._members.get(here)
            if member is None:
                return None
            if member.kind != "symlink":
                place = here
                continue
            links += 1
            if links > _MAX_LINKS:
                return None
            place = "" if member.link.startswith("/") else place
            waiting += reversed(member.link.split("/"))
        return place or "."

    def read(self, path: str) -> bytes | None:
        """The content of a file, None when there is none."""
        place = self.resolve(path)
        member = self._members.get(place) if place else None
        if member is not None and member.kind == "hardlink":
            member = self._members.get(member.link)
        if member is None or member.kind != "file" or member.open is None:
            return None
        with member.open() as stream:
            return stream.read()

    def need(self, path: str) -> bytes:
        """The content of a file that has to be there. Raises BootstrapFailed."""
        content = self.read(path)
        if content is None:
            raise BootstrapFailed(
                f"the packages have no /{path}, which the system needs: this suite is not supported"
            )
        return content

    def files(self, folder: str) -> list[str]:
        """The paths of the files under a directory, in order."""
        return sorted(
            path
            for path, member in self._members.items()
            if member.kind == "file" and path.startswith(f"{folder}/")
        )

    def file(self, path: str, content: bytes | str, mode: int = 0o644, gid: int = 0) -> None:
        """Write a file."""
        data = content.encode() if isinstance(content, str) else content
        self._put(Member(path, "file", mode, 0, gid, len(data), self.mtime, open=_bytes(data)))

    def directory(self, path: str, mode: int = 0o755, gid: int = 0) -> None:
        """Make a directory, or give one that is there these attributes."""
        self._put(Member(path, "dir", mode, 0, gid, mtime=self.mtime))

    def symlink(self, path: str, target: str) -> None:
        """Make a symlink."""
        self._put(Member(path, "symlink", 0o777, mtime=self.mtime, link=target))

    def move(self, path: str, to: str) -> None:
        """Rename a file."""
        self._members[to] = dataclasses.replace(self._members.pop(path), path=to)

    def _put(self, member: Member) -> None:
        folder = posixpath.dirname(member.path)
        if folder and folder not in self._members and member.path != ".":
            self.directory(folder)
        self._members[member.path] = member


def _bytes(data: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(data)
