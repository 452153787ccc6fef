"""A container as a value: a lazy file system, how to run it, and what is mounted or bound to it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.files import SCRATCH, Directory, File, Files, derive
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.secret import Secret
from ci.engine.graph.steps.users import Owner
from ci.engine.images.image import ImageConfig

if TYPE_CHECKING:
    from ci.engine.graph.serving.service import Service
    from ci.engine.graph.steps.execution import Exec
    from ci.engine.graph.volume import CacheVolume

#: What Docker gives a process whose image sets no PATH.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


#: The mounts that ``Container.mounts`` lists; secrets and sockets are put over them.
MOUNTS = frozenset(("directory", "file", "cache", "tmpfs"))


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
    but a file named ``file``. ``origin`` is where a directory came from, whose own mode and owner
    ``files`` do not have.
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
    origin: Directory | None = None

    @property
    def overlaid(self) -> bool:
        """Whether it is put over the other mounts, for steps alone."""
        return self.kind not in MOUNTS

    def covers(self, path: str) -> bool:
        """Whether ``path`` (absolute, clean) is at or below the mount."""
        return path == self.target or path.startswith(self.target.rstrip("/") + "/")

    def hides(self, other: Mount) -> bool:
        """Whether nothing is seen of ``other`` once this one is there."""
        return other.target == self.target if self.overlaid else self.covers(other.target)

    def opaque(self, path: str) -> EngineError:
        """The error for a path in a mount that only steps can look into."""
        return EngineError(f"{path}: cannot retrieve path from {self.kind}")


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
    terminal_nesting: bool = False
    terminal_privileged: bool = False
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
        return self.with_config(env=tuple(kept))

    def with_port(self, port: Port) -> Container:
        """With a port, in place of the same one."""
        same = [(each.port, each.protocol) == (port.port, port.protocol) for each in self.ports]
        if not any(same):
            return replace(self, ports=(*self.ports, port), image_ref=None)
        ports = tuple(port if is_it else each for each, is_it in zip(self.ports, same, strict=True))
        return replace(self, ports=ports, image_ref=None)

    def absolute(self, path: str) -> str:
        """``path`` seen from the working directory, clean; a trailing slash is kept."""
        joined = posixpath.normpath(posixpath.join("/", self.config.workdir or "/", path or "."))
        if joined.startswith("//"):
            joined = joined[1:]
        return joined + "/" if path.endswith("/") and joined != "/" else joined

    def mount_at(self, path: str) -> Mount | None:
        """The latest mount that a clean absolute path lies in; steps alone see secrets and sockets."""
        places = (mount for mount in reversed(self.mounts) if not mount.overlaid)
        return next((mount for mount in places if mount.covers(path)), None)

    def with_mount(self, mount: Mount) -> Container:
        """With a mount, in place of those at or below the same target."""
        kept = (m for m in self.mounts if m.overlaid != mount.overlaid or not mount.hides(m))
        return replace(self, mounts=(*kept, mount), image_ref=None)

    def without_mount(self, target: str, *, kinds: frozenset[str] = MOUNTS) -> Container:
        """Without the mount at ``target``, if it is of those kinds."""
        left = tuple(m for m in self.mounts if m.target != target or m.kind not in kinds)
        return replace(self, mounts=left, image_ref=None)

    def edited(self, path: str, edit: Callable[[Files, str], Files]) -> Container:
        """With the file system that ``path`` lies in changed by ``edit(files, path within them)``.

        A file mount gives way to what is put in its place.

        Raises:
            EngineError: ``path`` lies in a mount that only steps can look into.
        """
        mount = self.mount_at(path.rstrip("/") or "/")
        if mount is None:
            return replace(self, rootfs=edit(self.rootfs, path), image_ref=None)
        if mount.kind == "file":
            return self.without_mount(mount.target).edited(path, edit)
        if mount.files is None:
            raise mount.opaque(path)
        inner = path.removeprefix(mount.target.rstrip("/")) or "/"
        changed = replace(mount, files=edit(mount.files, inner))
        mounts = tuple(changed if m is mount else m for m in self.mounts)
        return replace(self, mounts=mounts, image_ref=None)

    def place(self, path: str) -> tuple[Files, str]:
        """Where to look for a clean absolute path: a file system and the path in it.

        Raises:
            EngineError: it lies in a mount that only steps can look into.
        """
        mount = self.mount_at(path)
        if mount is None:
            return self.rootfs, path
        if mount.files is None:
            raise mount.opaque(path)
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
