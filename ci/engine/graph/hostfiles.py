"""Directories of the host as file systems: read by what changed, kept when something is new."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.store import layers
from ci.engine.store.gitignore import Ignores
from ci.engine.store.patterns import Selection, State
from ci.engine.store.store import Snapshot, Store
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, SYMLINK, Entry

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


@dataclass(slots=True)
class _Scan:
    """One reading of a host directory. ``seen`` and ``known`` are by path: (listing's digest, rows)."""

    store: Store
    reading: Reading
    known: Mapping[str, list[Any]]
    now: int
    seen: dict[str, list[Any]] = field(default_factory=dict)

    def listing(self, folder: str, prefix: str, state: State, ignores: Ignores | None) -> str:
        """The digest of the selected part of a directory; ``prefix`` is "" or ends in "/"."""
        selection, everything = self.reading.selection, self.reading.selection.everything and ignores is None
        names = (*self.reading.above, *prefix.split("/")[:-1])
        lead = "".join(f"{name}/" for name in names)
        known_digest, known = self.known.get(prefix, ("", {}))
        rows: _Rows = {}
        entries: dict[str, Entry | tuple[os.DirEntry[str], os.stat_result, str]] = {}
        settled = True
        with os.scandir(folder) as items:
            for item in items:
                name, is_directory, inner = item.name, item.is_dir(follow_symlinks=False), state
                taken, within = True, ignores
                if not everything:
                    taken, inner = selection.step(lead + name, state)
                    if ignores is not None:
                        within = entering(ignores, item.path, len(names) + 1) if is_directory else ignores
                        taken = taken and not within.ignored((*names, name), is_directory=is_directory)
                if is_directory:
                    digest = EMPTY
                    if everything or selection.may_take_below(lead + name, inner):
                        digest = self.listing(item.path, f"{prefix}{name}/", inner, within)
                    if taken or digest != EMPTY:
                        status = item.stat(follow_symlinks=False)
                        rows[name] = [stat.S_IMODE(status.st_mode), digest]
                        entries[name] = Entry(
                            DIRECTORY, stat.S_IMODE(status.st_mode), 0, 0, digest, 0, status.st_mtime_ns
                        )
                elif taken:
                    status = item.stat(follow_symlinks=False)
                    row = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
                    before = known.get(name)
                    digest = before[4] if before is not None and before[:4] == row else ""
                    settled = settled and self.now - max(row[2], row[3]) > _GRAIN
                    rows[name] = [*row, digest]
                    entries[name] = (item, status, digest)
        if settled and known_digest and rows == known:
            self.seen[prefix] = [known_digest, rows]
            return known_digest
        return self._saved(prefix, rows, entries, settled=settled)

    def _saved(
        self,
        prefix: str,
        rows: _Rows,
        entries: dict[str, Entry | tuple[os.DirEntry[str], os.stat_result, str]],
        *,
        settled: bool,
    ) -> str:
        """The digest of a directory in which something is new."""
        listing: dict[str, Entry] = {}
        for name, found in entries.items():
            entry = found if isinstance(found, Entry) else _entry(*found)
            if entry is None:
                continue
            listing[name] = entry
            if entry.kind != DIRECTORY:
                recent = self.now - max(rows[name][2], rows[name][3]) <= _GRAIN
                rows[name][4] = "" if recent else entry.digest
        digest = self.store.trees.save(listing)
        self.seen[prefix] = [digest if settled else "", rows]
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
        raise EngineError(f"{error.filename or root}: {error.strerror}") from error
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
            raise EngineError(f"path {path} is a directory, not a file")
        entry = layers.entry_of(path, status, 0, 0)
        tree = store.trees.save({path.name: entry})
        return store.adopt(Snapshot(tree), lambda _, __: path)
    except layers.ChangedUnderway as error:
        raise EngineError(f"{error}: run again when it has settled") from error
    except FileNotFoundError as error:
        raise EngineError(f"{path}: no such file or directory") from error
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}") from error
