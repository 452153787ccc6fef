"""A container as a value: a lazy file system, how to run it, and what is mounted or bound to it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ci.engine.graph.files import SCRATCH, Directory, File, Files, derive
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.secret import Secret
from ci.engine.graph.users import Owner
from ci.engine.images import ImageConfig, Layer

if TYPE_CHECKING:
    from ci.engine.graph.execution import Exec
    from ci.engine.graph.service import Service
    from ci.engine.graph.volume import CacheVolume

#: What Docker gives a process whose image sets no PATH.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Port(Digested):
    """A port that a container listens on."""

    port: int
    protocol: str = "TCP"
    description: str | None = None
    experimental_skip_healthcheck: bool = False


@dataclass(frozen=True)
class Mount(Digested):
    """Something that is in a container's file system only while a step runs.

    ``kind`` is directory, file, cache, tmpfs, secret or socket; a file mount's ``files`` hold nothing
    but a file named ``file``.
    """

    target: str
    kind: str
    files: Files | None = None
    cache: CacheVolume | None = None
    secret: Secret | None = None
    socket: str = ""
    owner: Owner | None = None
    mode: int = 0o400
    size: int | None = None
    sharing: str = "SHARED"
    readonly: bool = False

    def covers(self, path: str) -> bool:
        """Whether ``path`` (absolute, clean) is at or below the mount."""
        return path == self.target or path.startswith(self.target.rstrip("/") + "/")


@dataclass(frozen=True)
class Base(Digested):
    """The image that a container started from: what its layers show, to export only what was added."""

    layers: tuple[Layer, ...]
    tree: str


@dataclass(frozen=True)
class Container(Digested):
    """A container, immutable; see Dagger's type of the same name."""

    platform: str
    rootfs: Files = SCRATCH
    config: ImageConfig = field(default_factory=ImageConfig)
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, Secret], ...] = ()
    volatile_env: tuple[tuple[str, str], ...] = ()
    services: tuple[tuple[str, Service], ...] = ()
    ports: tuple[Port, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    registry_auth: tuple[tuple[str, str, Secret], ...] = ()
    default_args: bool = False
    terminal_cmd: tuple[str, ...] = ()
    base: Base | None = None
    image_ref: str | None = None
    last: Exec | None = None

    @property
    def env(self) -> dict[str, str]:
        """The plain environment variables."""
        return dict(item.split("=", 1) for item in self.config.env if "=" in item)

    def with_config(self, **changes: object) -> Container:
        """With another image configuration."""
        return replace(self, config=replace(self.config, **changes), image_ref=None)  # type: ignore[arg-type]

    def with_env(self, name: str, value: str | None) -> Container:
        """With an environment variable set, or without it (None)."""
        kept = [item for item in self.config.env if item.partition("=")[0] != name]
        position = next(
            (i for i, item in enumerate(self.config.env) if item.partition("=")[0] == name), len(kept)
        )
        if value is not None:
            kept.insert(position, f"{name}={value}")
        secret_env = tuple(pair for pair in self.secret_env if pair[0] != name)
        return replace(self.with_config(env=tuple(kept)), secret_env=secret_env)

    def absolute(self, path: str) -> str:
        """``path`` seen from the working directory, clean; a trailing slash is kept."""
        joined = posixpath.normpath(posixpath.join("/", self.config.workdir or "/", path or "."))
        if joined.startswith("//"):
            joined = joined[1:]
        return joined + "/" if path.endswith("/") and joined != "/" else joined

    def mount_at(self, path: str) -> Mount | None:
        """The mount that a clean absolute path lies in; the latest and deepest wins."""
        found: Mount | None = None
        for mount in self.mounts:
            if mount.covers(path) and (found is None or len(mount.target) >= len(found.target)):
                found = mount
        return found

    def with_mount(self, mount: Mount) -> Container:
        """With a mount, in place of one at the same target."""
        others = tuple(m for m in self.mounts if m.target != mount.target)
        return replace(self, mounts=(*others, mount), image_ref=None)

    def without_mount(self, target: str) -> Container:
        """Without the mount at ``target``."""
        return replace(self, mounts=tuple(m for m in self.mounts if m.target != target), image_ref=None)

    def edited(self, path: str, edit: Callable[[Files, str], Files]) -> Container:
        """With the file system that ``path`` lies in changed by ``edit(files, path within them)``."""
        mount = self.mount_at(path.rstrip("/") or "/")
        if mount is None or mount.files is None or mount.kind != "directory":
            return replace(self, rootfs=edit(self.rootfs, path), image_ref=None)
        inner = path.removeprefix(mount.target.rstrip("/")) or "/"
        changed = replace(mount, files=edit(mount.files, inner))
        mounts = tuple(changed if m is mount else m for m in self.mounts)
        return replace(self, mounts=mounts, image_ref=None)

    def place(self, path: str) -> tuple[Files, str] | Mount:
        """Where to look for a clean absolute path: a file system and the path in it, or an opaque mount."""
        mount = self.mount_at(path)
        if mount is None:
            return self.rootfs, path
        if mount.files is None:
            return mount
        if mount.kind == "file":
            return mount.files, "/file"
        return mount.files, path.removeprefix(mount.target.rstrip("/")) or "/"


def files_of(directory: Directory) -> Files:
    """A directory as a file system of its own."""
    if directory.path == "/":
        return directory.files
    return derive("subdirectory", directory.files, path=directory.path)


def file_alone(file: File, *, plain: bool = False) -> Files:
    """A file system that holds a file under the name ``file``, for a file mount."""
    return derive("file_alone", file.files, path=file.path, name="file", plain=plain)
