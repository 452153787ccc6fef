"""Who uses what: each session says in a file of its own what it relies on, so that nobody collects it.

A session holds a lock on its file as long as it lives; the kernel lets go of it however the session ends.
Between looking something up and writing down that it is used, a session shares a lock that the collector
takes alone: so the collector either sees the line, or is seen by the look-up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ci.engine.store import layers


@dataclass(frozen=True, slots=True)
class Held:
    """What a living session relies on.

    It came as number ``session``, when layers up to ``layer`` were there, at ``since`` (ns since the epoch):
    whatever is younger may be its own. Of what is older it uses ``trees`` and ``layers``.
    """

    session: int
    layer: int
    since: int
    trees: frozenset[str] = field(default_factory=frozenset)
    layers: frozenset[int] = field(default_factory=frozenset)


class Lease:
    """This session's own file, and the scratch folder that is swept when nobody holds it any more."""

    def __init__(self, root: Path) -> None:
        self._root = root
        while True:
            self.folder = root / "scratch" / f"{os.getpid():x}-{os.urandom(3).hex()}"
            self._file = self.folder.with_suffix(".lock")
            self._handle = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            if os.fstat(self._handle).st_nlink:
                break
            os.close(self._handle)  # another session took it for a dead one's before it was locked
        self.folder.mkdir()
        self.since = time.time_ns()
        self._said: set[str] = set()

    def begin(self, session: int, layer: int) -> None:
        """Say which session this is, and which layer was the last one before it."""
        self._say(f"s {session} {layer} {self.since}")

    def tree(self, digest: str) -> None:
        """Rely on a file system, or on other bytes, by digest."""
        self._say(f"t {digest}")

    def layer(self, number: int) -> None:
        """Rely on a layer and all below it."""
        self._say(f"l {number}")

    def _say(self, line: str) -> None:
        if line not in self._said:
            os.write(self._handle, f"{line}\n".encode())
            self._said.add(line)

    def sharing(self) -> contextlib.AbstractContextManager[None]:
        """Hold the collector off while something is looked up and leased."""
        return _locked(self._root, fcntl.LOCK_SH)

    def end(self) -> None:
        """Let go; the scratch folder is deleted."""
        layers.discard(self.folder)
        os.close(self._handle)
        self._file.unlink(missing_ok=True)


def excluding(root: Path) -> contextlib.AbstractContextManager[None]:
    """Hold all sessions off for a moment, to collect what none of them has leased."""
    return _locked(root, fcntl.LOCK_EX)


@contextlib.contextmanager
def _locked(root: Path, how: int) -> Iterator[None]:
    handle = os.open(root / "sweep.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def alone(file: Path) -> int | None:
    """Take a file's lock; None when somebody has it. Close the descriptor to give it back."""
    handle = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def sweep(root: Path) -> None:
    """Delete what dead sessions left in their scratch folders."""
    scratch = root / "scratch"
    for file in scratch.glob("*.lock"):
        handle = alone(file) if file.exists() else None
        if handle is not None:
            layers.discard(file.with_suffix(""))
            file.unlink(missing_ok=True)
            os.close(handle)
    # A process that was being killed may have written one more file: the lock is gone, the folder is not.
    for folder in scratch.iterdir():
        if folder.suffix != ".lock" and not folder.with_suffix(".lock").exists():
            layers.discard(folder)


def held(root: Path) -> list[Held] | None:
    """What the living sessions rely on; None when one of them has only just begun and not said so yet."""
    found = []
    for file in (root / "scratch").glob("*.lock"):
        handle = alone(file) if file.exists() else None
        if handle is not None:
            os.close(handle)
            continue
        try:
            words = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        except FileNotFoundError:
            continue
        begun = next((line for line in words if line[0] == "s"), None)
        if begun is None:
            return None
        session, layer, since = (int(word) for word in begun[1:])
        trees = frozenset(line[1] for line in words if line[0] == "t")
        numbers = frozenset(int(line[1]) for line in words if line[0] == "l")
        found.append(Held(session, layer, since, trees, numbers))
    return found


def living(root: Path) -> list[str]:
    """The names of the sessions that live."""
    found = []
    for file in sorted((root / "scratch").glob("*.lock")):
        handle = alone(file) if file.exists() else None
        if handle is not None:
            os.close(handle)
        elif file.exists():
            found.append(file.stem)
    return found
