"""Writing files and directories to the host, the way Dagger's client does."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ci.engine.errors import EngineError, reason
from ci.engine.store import layers
from ci.engine.store.store import Store
from ci.engine.store.tree import DIRECTORY, REGULAR, SYMLINK, Entry


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(f"export to {error.filename or target}: {reason(error)}") from error


def export_directory(store: Store, tree: str, target: Path, *, wipe: bool) -> None:
    """Write a file system to a host directory, merged with what is there unless ``wipe``. Blocking.

    Each file is written beside its place and renamed into it, so that a reader never sees half of one.

    Raises:
        EngineError: the target can't be written.
    """
    if target.exists() and not target.is_dir():
        raise EngineError(f"failed to create synctarget dest dir {target}: mkdir {target}: not a directory")
    with _told(target):
        _make(target)
        if wipe:
            _wipe(store, tree, target)
        _export(store, tree, target)


def export_file(store: Store, entry: Entry, target: Path) -> None:
    """Write one file to the host in one step; one that is there keeps its mode. Blocking.

    A symlink at ``target`` is followed.

    Raises:
        EngineError: the target is a directory, or can't be written.
    """
    if target.is_dir():
        raise EngineError(
            f'destination "{target}" is a directory; must be a file path unless allowParentDirPath is set'
        )
    with _told(target):
        place = Path(os.path.realpath(target))
        _make(place.parent)
        with contextlib.suppress(FileNotFoundError):
            entry = entry._replace(mode=stat.S_IMODE(place.stat().st_mode))
        _write(store, entry, place, keep_time=False)


def remove(target: Path, paths: list[str]) -> None:
    """Remove files, and directories (a trailing ``/``), from a host directory, if there. Blocking.

    Raises:
        EngineError: one can't be removed.
    """
    with _told(target):
        for path in paths:
            place = target / path
            if path.endswith("/"):
                layers.discard(place)
            else:
                place.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    """Make a directory and its parents, for nobody but the user."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(0o700, exist_ok=True)


def _wipe(store: Store, tree: str, target: Path) -> None:
    kept = store.trees.load(tree)
    for item in target.iterdir():
        is_directory = item.is_dir() and not item.is_symlink()
        if is_directory and item.name in kept and kept[item.name].kind == DIRECTORY:
            _wipe(store, kept[item.name].digest, item)
        elif is_directory:
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
            os.utime(path, ns=(entry.mtime, entry.mtime))
        elif entry.kind in {REGULAR, SYMLINK}:
            if path.is_dir() and not path.is_symlink():
                layers.discard(path)
            _write(store, entry, path, keep_time=True)


def _write(store: Store, entry: Entry, path: Path, *, keep_time: bool) -> None:
    fresh = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")
    try:
        if entry.kind == SYMLINK:
            fresh.symlink_to(entry.digest)
        else:
            with store.open(entry.digest) as source, fresh.open("xb") as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
            fresh.chmod(entry.mode)
            if keep_time:
                os.utime(fresh, ns=(entry.mtime, entry.mtime))
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
