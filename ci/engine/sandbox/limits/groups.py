"""Control groups of the kernel's (cgroups(7)): version 1 as root, version 2 where a part of the tree is ours.

Moving a process into a group takes the kernel up to 15 ms, for it waits until no process is being forked
anywhere. In version 1 a thread moves by itself, and what it starts is born there: one that stays in its group
pays once.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from ci.engine.sandbox.limits.values import UNLIMITED, Limits

_NAME = "shipway"
_OWN = 2  # the engine's thread and bwrap itself are in the group, and are not the step's
_numbers = count()


@dataclass(frozen=True, slots=True)
class _Files:
    """What a version of control groups calls things."""

    members: str
    processes: str
    memory: tuple[str, ...]
    swap: str
    refused: tuple[str, str]  # a file, and the name of a number in it
    killed: tuple[str, str]


_VERSION_1 = _Files(
    "tasks",
    "pids.max",
    ("memory.limit_in_bytes",),
    "memory.memsw.limit_in_bytes",
    ("pids.events", "max"),
    ("memory.oom_control", "oom_kill"),
)
_VERSION_2 = _Files(
    "cgroup.procs",
    "pids.max",
    ("memory.max",),
    "memory.swap.max",
    ("pids.events", "max"),
    ("memory.events", "oom_kill"),
)


@dataclass(frozen=True, slots=True)
class Mounted:
    """A tree of control groups: where it is mounted, and which group is the top there ("/" is all)."""

    controllers: frozenset[str]  # none: version 2
    top: str
    place: Path


@dataclass(slots=True)
class Group:
    """A control group for one container at a time. All methods block, but for no longer than a file takes."""

    pids: Path
    memory: Path
    version: int
    _limits: Limits = UNLIMITED
    _refused: int = 0
    _killed: int = 0

    @property
    def _files(self) -> _Files:
        return _VERSION_1 if self.version == 1 else _VERSION_2

    def join(self) -> None:
        """Have what the calling thread starts be born in the group, where the version can; else admit()."""
        if self.version == 1:
            for folder in (self.pids, self.memory):
                (folder / "tasks").write_text(str(threading.get_native_id()), encoding="ascii")

    def admit(self, pid: int) -> None:
        """Move a process that was not born in the group, with all its threads."""
        if self.version != 1:
            (self.pids / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def hold(self, limits: Limits) -> None:
        """Set the limits of the next container, and start counting what it runs into."""
        if limits != self._limits:
            files = self._files
            memory = "-1" if self.version == 1 else "max"
            memory = memory if limits.memory is None else str(limits.memory)
            swap = self.memory / files.swap
            if self.version == 1 and swap.exists():
                swap.write_text("-1", encoding="ascii")  # it may not be below the other one at any time
            for name in files.memory:
                (self.memory / name).write_text(memory, encoding="ascii")
            if swap.exists():
                total = memory if self.version == 1 or limits.memory is None else "0"
                swap.write_text(total, encoding="ascii")
            most = "max" if limits.processes is None else str(limits.processes + _OWN)
            (self.pids / files.processes).write_text(most, encoding="ascii")
            self._limits = limits
        self._refused, self._killed = self._numbers()

    def refused(self) -> int:
        """How many processes more the container wanted than it may have."""
        return self._numbers()[0] - self._refused

    def killed(self) -> int:
        """How many of its processes the kernel ended, for there was no memory left."""
        return self._numbers()[1] - self._killed

    def remove(self) -> None:
        """Give it up; nothing may be in it."""
        for folder in dict.fromkeys((self.pids, self.memory)):
            with suppress(OSError):
                folder.rmdir()

    def _numbers(self) -> tuple[int, int]:
        files = self._files
        return _number(self.pids, *files.refused), _number(self.memory, *files.killed)


def _number(folder: Path, file: str, name: str) -> int:
    try:
        rows = (folder / file).read_text(encoding="ascii").splitlines()
    except OSError:  # the kernel is older than the file
        return 0
    return next((int(row.split()[1]) for row in rows if row.split()[0] == name), 0)


@dataclass(frozen=True, slots=True)
class Groups:
    """Where this process can make groups."""

    pids: Path
    memory: Path
    version: int

    @staticmethod
    @cache
    def found() -> "Groups | None":
        """Where that is on this host; None where it is nowhere. What engines have left there is removed."""
        mounts = list(mounted(Path("/proc/self/mountinfo").read_text(encoding="utf-8")))
        groups = find(mounts, Path("/proc/self/cgroup").read_text(encoding="utf-8"))
        if groups is not None:
            groups.tidy()
        return groups

    def make(self) -> Group:
        """A new group.

        Raises:
            OSError: the kernel does not let us after all.
        """
        name = f"{_NAME}-{os.getpid()}-{next(_numbers)}"
        group = Group(self.pids / name, self.memory / name, self.version)
        for folder in dict.fromkeys((group.pids, group.memory)):
            folder.mkdir()
        return group

    def tidy(self) -> None:
        """Remove the groups of engines that are no more, and end what they left in them."""
        for parent in dict.fromkeys((self.pids, self.memory)):
            for folder in parent.glob(f"{_NAME}-*-*"):
                if not Path("/proc", folder.name.split("-")[1]).exists():
                    _end(folder)
                    with suppress(OSError):
                        folder.rmdir()


def _end(folder: Path) -> None:
    """Kill the first processes of containers in a group, with all that are in these.

    An engine that is killed just as bwrap has made such a process leaves it waiting for bwrap for ever. An
    engine of another process namespace is not seen though it lives: what it runs is further in than ours.
    """
    depth = len(_numbers_of("self"))
    with suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split():
            numbers = _numbers_of(pid)
            if len(numbers) == depth + 1 and numbers[-1] == "1":
                with suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)


def _numbers_of(pid: str) -> list[str]:
    """A process's numbers in its process namespaces, from the reader's inwards (proc_pid_status(5))."""
    with suppress(OSError):
        for line in Path("/proc", pid, "status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("NSpid:"):
                return line.split()[1:]
    return []


def mounted(mountinfo: str) -> Iterator[Mounted]:
    """The trees of control groups among the mounts (proc_pid_mountinfo(5))."""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        _, _, _, top, place, *_ = left.split()
        kind, _, options = right.split(maxsplit=2)
        if kind == "cgroup":
            yield Mounted(frozenset(options.split(",")), top, Path(place))
        elif kind == "cgroup2":
            yield Mounted(frozenset(), top, Path(place))


def find(mounts: list[Mounted], membership: str) -> Groups | None:
    """Where groups can be made, by the mounted trees and this process's own groups (/proc/self/cgroup)."""
    own: dict[str, str] = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        own.update(dict.fromkeys(controllers.split(","), path))
    for mount in mounts:
        if not mount.controllers and "" in own:
            there = _below(mount, own[""])
            for folder in (there, *there.parents) if there is not None else ():
                if _delegated(folder):
                    return Groups(folder, folder, 2)
                if folder == mount.place:
                    break
    pids, memory = (_version_1(mounts, name, own.get(name, "/")) for name in ("pids", "memory"))
    return Groups(pids, memory, 1) if pids is not None and memory is not None else None


def _version_1(mounts: list[Mounted], controller: str, path: str) -> Path | None:
    """Where groups of version 1 can be made for a controller."""
    places = (_below(mount, path) for mount in mounts if controller in mount.controllers)
    return next((place for place in places if place is not None and _writable(place)), None)


def _below(mount: Mounted, path: str) -> Path | None:
    """Where a group is in the mounted tree; None when it is outside of it."""
    top = mount.top.rstrip("/")
    if path != top and not path.startswith(top + "/"):
        return None
    return mount.place / path[len(top) :].lstrip("/")


def _delegated(folder: Path) -> bool:
    """Whether groups below this one, of version 2, may be made by us and have what it takes."""
    try:
        handed_down = set((folder / "cgroup.subtree_control").read_text(encoding="ascii").split())
    except OSError:
        return False
    return {"pids", "memory"} <= handed_down and _writable(folder) and _writable(folder / "cgroup.procs")


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=True)
