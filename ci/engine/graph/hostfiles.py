"""Directories of the host as file systems: read by what changed, kept when something is new."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.graph.gitignore import Ignores
from ci.engine.store import layers
from ci.engine.store.patterns import Selection
from ci.engine.store.store import Snapshot, Store
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, SYMLINK, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A file as it was when its bytes were read: inode, size, mtime and ctime (ns), and their sha256.
_Seen = list[Any]
#: A file changed this recently (ns) may change again within its time stamp's grain: read it again.
_GRAIN = 50_000_000


@dataclass(slots=True)
class _Scan:
    """One reading of a host directory."""

    store: Store
    root: Path
    selection: Selection
    ignores: Ignores | None
    known: Mapping[str, _Seen]
    seen: dict[str, _Seen]
    now: int

    def listing(self, folder: str, prefix: str, ignores: Ignores | None) -> str:
        """The digest of the selected part of a directory."""
        entries: dict[str, Entry] = {}
        if ignores is not None:
            ignores = ignores.entering(Path(folder), prefix)
        with os.scandir(folder) as items:
            for item in items:
                path = prefix + item.name
                is_directory = item.is_dir(follow_symlinks=False)
                if ignores is not None and ignores.ignored(path, is_directory=is_directory):
                    continue
                if is_directory:
                    self._directory(entries, item, path, ignores)
                elif self.selection.takes(path):
                    entry = self._entry(item, path)
                    if entry is not None:
                        entries[item.name] = entry
        return self.store.trees.save(entries)

    def _directory(
        self, entries: dict[str, Entry], item: os.DirEntry[str], path: str, ignores: Ignores | None
    ) -> None:
        if not self.selection.enters(path):
            return
        digest = self.listing(item.path, path + "/", ignores)
        if digest != EMPTY or self.selection.takes(path):
            status = item.stat(follow_symlinks=False)
            mode = stat.S_IMODE(status.st_mode)
            entries[item.name] = Entry(DIRECTORY, mode, 0, 0, digest, 0, status.st_mtime_ns)

    def _entry(self, item: os.DirEntry[str], path: str) -> Entry | None:
        status = item.stat(follow_symlinks=False)
        mode, modified = stat.S_IMODE(status.st_mode), status.st_mtime_ns
        if stat.S_ISLNK(status.st_mode):
            return Entry(SYMLINK, 0o777, 0, 0, os.readlink(item.path), 0, modified)
        if not stat.S_ISREG(status.st_mode):
            return None
        digest = self._digest(item.path, path, status)
        return Entry(REGULAR, mode, 0, 0, digest, status.st_size, modified)

    def _digest(self, full: str, path: str, status: os.stat_result) -> str:
        identity = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        known = self.known.get(path)
        digest = known[4] if known is not None and known[:4] == identity else layers.digest_file(full)
        if self.now - max(status.st_mtime_ns, status.st_ctime_ns) > _GRAIN:
            self.seen[path] = [*identity, digest]
        return str(digest)


def import_directory(
    store: Store, root: Path, selection: Selection, *, gitignore: bool, now: int
) -> Snapshot:
    """The selected part of a host directory, kept in the store. Blocking.

    ``now`` is the time of the reading in nanoseconds since the epoch.

    Raises:
        EngineError: it can't be read, or changes while it is being read.
    """
    name = fingerprint("host", str(root), selection, gitignore)
    remembered = store.index.fact("host", name) or {"seen": {}, "near": None, "tree": EMPTY}
    ignores = Ignores() if gitignore else None
    scan = _Scan(store, root, selection, ignores, remembered["seen"], {}, now)
    try:
        tree = scan.listing(str(root), "", ignores)
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


def export(store: Store, tree: str, target: Path, *, wipe: bool) -> None:
    """Write a file system to a host directory, merged with what is there unless ``wipe``. Blocking.

    Each file is written beside its place and renamed into it, so that a reader never sees half of one.

    Raises:
        EngineError: the target can't be written.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        if wipe:
            _wipe(store, tree, target)
        _export(store, tree, target)
    except OSError as error:
        raise EngineError(f"export to {error.filename or target}: {error.strerror}") from error


def _wipe(store: Store, tree: str, target: Path) -> None:
    kept = store.trees.load(tree)
    for item in target.iterdir():
        if (
            item.name in kept
            and item.is_dir()
            and not item.is_symlink()
            and kept[item.name].kind == DIRECTORY
        ):
            _wipe(store, kept[item.name].digest, item)
        elif item.is_dir() and not item.is_symlink():
            layers.discard(item)
        else:
            item.unlink()


def _export(store: Store, tree: str, target: Path) -> None:
    for name, entry in store.trees.load(tree).items():
        path = target / name
        if entry.kind == DIRECTORY:
            if path.is_symlink() or (path.exists() and not path.is_dir()):
                path.unlink()
            path.mkdir(exist_ok=True)
            _export(store, entry.digest, path)
            path.chmod(entry.mode)
        elif entry.kind in (REGULAR, SYMLINK):
            export_file(store, entry, path)


def export_file(store: Store, entry: Entry, path: Path) -> None:
    """Write one file or symlink to the host in one step. Blocking; OSError as it comes."""
    if path.is_dir() and not path.is_symlink():
        layers.discard(path)
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        if entry.kind == SYMLINK:
            fresh.symlink_to(entry.digest)
        else:
            with store.open(entry.digest) as source, fresh.open("xb") as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
            fresh.chmod(entry.mode)
            os.utime(fresh, ns=(entry.mtime, entry.mtime))
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
