"""Directories of the host as file systems: read by what changed, kept when something is new."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.engine.errors import EngineError, out_of_room, reason
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.store import layers
from ci.engine.store.gitignore import Ignores
from ci.engine.store.patterns import Selection, State
from ci.engine.store.store import Store
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, SYMLINK, Entry, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What was in a directory when it was read last: for a file or symlink its inode, size, mtime and ctime
#: (ns) with the digest of its entry; for a directory its mode with the digest of its listing.
_Rows = dict[str, list[Any]]
#: A file changed this recently (ns) may change again within its time stamp's grain: read it again.
_GRAIN = 50_000_000


@dataclass(frozen=True)
class Reading:
    """Which part of a host directory is wanted.

    Patterns see paths from ``top``, which is ``root`` or, so that .gitignore files above it count, the
    directory over it that holds ``.git``; ``None`` for ``ignores`` leaves .gitignore files unread.
    """

    root: Path
    selection: Selection
    above: tuple[str, ...] = ()
    ignores: Ignores | None = None


_Found = Entry | tuple[os.DirEntry[str], os.stat_result]


@dataclass(slots=True)
class _Folder:
    """One directory while it is read; ``prefix`` is its path below the root, "" or ending in "/"."""

    prefix: str
    names: tuple[str, ...]
    state: State
    ignores: Ignores | None
    known: _Rows
    lead: str = field(init=False)
    rows: _Rows = field(default_factory=dict)
    found: dict[str, _Found] = field(default_factory=dict)
    settled: bool = True

    def __post_init__(self) -> None:
        self.lead = "".join(f"{name}/" for name in self.names)


@dataclass(slots=True)
class _Scan:
    """One reading of a host directory. ``seen`` and ``known`` are by path: (listing's digest, rows)."""

    store: Store
    reading: Reading
    known: Mapping[str, list[Any]]
    now: int
    seen: dict[str, list[Any]] = field(default_factory=dict)
    everything: bool = field(init=False)

    def __post_init__(self) -> None:
        self.everything = self.reading.selection.everything and self.reading.ignores is None

    def listing(self, path: str, prefix: str, state: State, ignores: Ignores | None) -> str:
        """The digest of the selected part of a directory; ``prefix`` is "" or ends in "/"."""
        known_digest, known = self.known.get(prefix, ("", {}))
        names = (*self.reading.above, *prefix.split("/")[:-1])
        folder = _Folder(prefix, names, state, ignores, known)
        with os.scandir(path) as items:
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    self._directory(folder, item)
                elif self.everything or self._takes(folder, item.name):
                    self._file(folder, item)
        if folder.settled and known_digest and folder.rows == known:
            self.seen[prefix] = [known_digest, known]
            return str(known_digest)
        return self._saved(folder)

    def _takes(self, folder: _Folder, name: str) -> bool:
        taken, _ = self.reading.selection.step(folder.lead + name, folder.state)
        if taken and folder.ignores is not None:
            return not folder.ignores.ignored((*folder.names, name), is_directory=False)
        return taken

    def _directory(self, folder: _Folder, item: os.DirEntry[str]) -> None:
        selection, path = self.reading.selection, folder.lead + item.name
        taken, state = selection.step(path, folder.state)
        ignores = folder.ignores
        if ignores is not None:
            names = (*folder.names, item.name)
            ignores = entering(ignores, item.path, len(names))
            taken = taken and not ignores.ignored(names, is_directory=True)
        digest = EMPTY
        if selection.may_take_below(path, state):
            digest = self.listing(item.path, f"{folder.prefix}{item.name}/", state, ignores)
        if taken or digest != EMPTY:
            status = item.stat(follow_symlinks=False)
            mode = stat.S_IMODE(status.st_mode)
            folder.rows[item.name] = [mode, digest]
            folder.found[item.name] = Entry(DIRECTORY, mode, 0, 0, digest, 0, status.st_mtime_ns)

    def _file(self, folder: _Folder, item: os.DirEntry[str]) -> None:
        status = item.stat(follow_symlinks=False)
        row = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        before = folder.known.get(item.name)
        same = before is not None and before[:4] == row
        folder.settled = folder.settled and not self._recent(status)
        folder.rows[item.name] = before if before is not None and same else [*row, ""]
        folder.found[item.name] = (item, status)

    def _recent(self, status: os.stat_result) -> bool:
        return self.now - max(status.st_mtime_ns, status.st_ctime_ns) <= _GRAIN

    def _saved(self, folder: _Folder) -> str:
        """The digest of a directory in which something is new."""
        listing: dict[str, Entry] = {}
        for name, found in folder.found.items():
            if isinstance(found, Entry):
                listing[name] = found
                continue
            item, status = found
            row = folder.rows[name]
            entry = _entry(item, status, row[4])
            if entry is not None:
                listing[name] = entry
                folder.rows[name] = [*row[:4], "" if self._recent(status) else entry.digest]
        digest = self.store.trees.save(listing)
        self.seen[folder.prefix] = [digest if folder.settled else "", folder.rows]
        return digest


def _entry(item: os.DirEntry[str], status: os.stat_result, digest: str) -> Entry | None:
    mode, modified = stat.S_IMODE(status.st_mode), status.st_mtime_ns
    if stat.S_ISLNK(status.st_mode):
        return Entry(SYMLINK, 0o777, 0, 0, os.readlink(item.path), 0, modified)
    if stat.S_ISREG(status.st_mode):
        content = digest or layers.digest_file(item.path)
        return Entry(REGULAR, mode, 0, 0, content, status.st_size, modified)
    return None


def entering(ignores: Ignores, folder: str, depth: int) -> Ignores:
    """The rules in force once a host folder's own .gitignore, ``depth`` names below the top, is read."""
    try:
        text = Path(folder, ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ignores
    return ignores.adding(text, depth)


def import_directory(store: Store, reading: Reading, *, now: int) -> Snapshot:
    """The wanted part of a host directory, kept in the store. Blocking.

    ``now`` is the time of the reading in nanoseconds since the epoch.

    Raises:
        EngineError: it can't be read, or changes while it is being read.
    """
    root = reading.root
    name = fingerprint("directory", str(root), reading.selection, reading.above, reading.ignores is not None)
    remembered = store.index.fact("host", name) or {"seen": {}, "near": None, "tree": EMPTY}
    scan = _Scan(store, reading, remembered["seen"], now)
    state: State = ((), ())
    for count in range(1, len(reading.above) + 1):
        _, state = reading.selection.step("/".join(reading.above[:count]), state)
    try:
        tree = scan.listing(str(root), "", state, reading.ignores)
        if tree == remembered["tree"] and scan.seen == remembered["seen"]:
            shown = store.shown(tree)
            if shown is not None or tree == EMPTY:
                return Snapshot(tree, shown)
        snapshot = store.adopt(Snapshot(tree, remembered["near"]), lambda path, _: root / path)
    except layers.ChangedUnderway as error:
        raise EngineError(f"{error}: run again when it has settled") from error
    except OSError as error:
        raise out_of_room(error, store.root) or EngineError(
            f"{error.filename or root}: {reason(error)}"
        ) from error
    store.index.record("host", name, {"seen": scan.seen, "near": snapshot.near, "tree": tree})
    return snapshot


def import_file(store: Store, path: Path) -> Snapshot:
    """One host file as a file system that holds nothing else, under its own name. Blocking.

    Raises:
        EngineError: it can't be read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise EngineError(f"path {path.name} is a directory, not a file")
        entry = layers.entry_of(path, status, 0, 0)
        tree = store.trees.save({path.name: entry})
        return store.adopt(Snapshot(tree), lambda _, __: path)
    except layers.ChangedUnderway as error:
        raise EngineError(f"{error}: run again when it has settled") from error
    except FileNotFoundError as error:
        raise EngineError(f"stat {path.name}: no such file or directory: {path}") from error
    except OSError as error:
        raise out_of_room(error, store.root) or EngineError(f"{path}: {reason(error)}") from error
