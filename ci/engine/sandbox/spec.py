"""What a container is made of, as plain values: its root, its mounts and its one command."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Overlay:
    """Directories stacked by overlayfs.

    ``lower`` has the read-only layers, top-most first (none is an empty root). Changes go to ``upper``, an
    existing directory on a file system that overlayfs can write to (ext4, xfs, btrfs, tmpfs). ``work`` is an
    empty or absent directory on that same file system; the sandbox fills it and removes it when it is done,
    unless it is ``disposable``: then whoever gave it sees to that, at a better time.
    In ``upper`` a deleted file is a character device 0/0 and a replaced directory bears the attribute
    ``user.overlay.opaque=y``; other ``user.overlay.*`` attributes mean nothing to a reader.
    """

    lower: tuple[Path, ...]
    upper: Path
    work: Path
    disposable: bool = False


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or directory of the host, seen in the container under ``target``."""

    source: Path
    target: str
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class OverlayMount:
    """A directory: what is written lands in ``overlay.upper``, the layers below stay as they are."""

    overlay: Overlay
    target: str
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """An empty directory in memory, of at most ``size`` bytes (default: half the machine's memory)."""

    target: str
    size: int | None = None
    mode: int = 0o1777


@dataclass(frozen=True, slots=True)
class Data:
    """A file that is given by its content and kept in unswappable memory: a secret, or a generated file.

    It is read-only unless ``mode`` has a write bit, and what is written to it ends with the container.
    """

    content: bytes
    target: str
    mode: int = 0o400
    uid: int = 0
    gid: int = 0

    def __repr__(self) -> str:
        """Leave the content out: it may be a secret."""
        return f"Data(<{len(self.content)} bytes>, target={self.target!r}, mode={self.mode:#o})"


Mount = Bind | OverlayMount | Tmpfs | Data


@dataclass(frozen=True, slots=True)
class Spec:  # pylint: disable=too-many-instance-attributes
    """One container: a root file system, mounts, and the command to run in it.

    ``args[0]`` is looked up in the ``PATH`` of ``env`` inside the container. ``cwd`` is created, owned by the
    user, when it is missing. Without ``stdin`` the command reads an empty one. With ``init`` a small process
    is pid 1 and reaps orphans; without it the command itself is pid 1. ``privileged`` keeps every capability
    of the engine, all devices and a writable ``/sys``. With ``own_network`` it has a loopback interface of
    its own and nothing else (see ``inside`` for ways in); otherwise it is on the host's network.
    """

    root: Overlay
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = "/"
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hostname: str = "sandbox"
    stdin: bytes | None = None
    init: bool = True
    privileged: bool = False
    read_only_root: bool = False
    own_network: bool = False
