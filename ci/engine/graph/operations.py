"""The pure operations on file systems that Dagger's fields are made of."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.gitignore import Ignores
from ci.engine.graph.users import Owner
from ci.engine.store import algebra
from ci.engine.store.patterns import Selection
from ci.engine.store.store import Snapshot
from ci.engine.store.tree import DIRECTORY, EMPTY, EPOCH_NS, REGULAR, SYMLINK, Entry, directory

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator


#: A pure operation: (evaluator, the inputs' snapshots, arguments) -> a tree's digest.
Operation = Callable[..., str]
OPERATIONS: dict[str, Operation] = {}


def operation(function: Operation) -> Operation:
    """Register a pure operation on trees under its own name."""
    OPERATIONS[function.__name__] = function
    return function


def owned(entry: Entry, owner: Owner | None) -> Entry:
    """``entry`` as the owner's, when there is one."""
    return entry if owner is None else entry._replace(uid=owner.uid, gid=owner.gid)


def _parent(owner: Owner | None) -> Entry:
    return owned(directory(EMPTY), owner)


def entry_at(evaluator: Evaluator, snapshot: Snapshot, path: str) -> Entry:
    """What is at ``path``, symlinks followed.

    Raises:
        EngineError: nothing is there.
    """
    entry = algebra.lookup(evaluator.store.trees, snapshot.tree, path)
    if entry is None:
        raise EngineError(f"{path}: no such file or directory")
    return entry


@operation
def subdirectory(evaluator: Evaluator, files: Snapshot, *, path: str) -> str:
    """The directory at ``path`` as a file system of its own."""
    entry = entry_at(evaluator, files, path)
    if entry.kind != DIRECTORY:
        raise EngineError(f"path {path} is a file, not a directory")
    return entry.digest


@operation
def new_file(
    evaluator: Evaluator, files: Snapshot, *, path: str, content: str, mode: int, owner: Owner | None
) -> str:
    """With a new file whose bytes have the sha256 ``content``."""
    size = evaluator.store.locate(content).stat().st_size
    entry = owned(Entry("f", mode, 0, 0, content, size), owner)
    return algebra.put(evaluator.store.trees, files.tree, path, entry, _parent(None))


@operation
def copy_file(
    evaluator: Evaluator,
    files: Snapshot,
    source: Snapshot,
    *,
    path: str,
    source_path: str,
    mode: int | None,
    owner: Owner | None,
) -> str:
    """With a copy of a file of another file system; a ``path`` that is a directory, or ends in ``/``, takes it in."""
    trees = evaluator.store.trees
    entry = entry_at(evaluator, source, source_path)
    if entry.kind == DIRECTORY:
        raise EngineError(f"path {source_path} is a directory, not a file")
    target = algebra.lookup(trees, files.tree, path)
    if path.endswith("/") or (target is not None and target.kind == DIRECTORY):
        path = posixpath.join(path, posixpath.basename(source_path))
    if mode is not None:
        entry = entry._replace(mode=mode)
    where, _ = algebra.locate(trees, files.tree, path)
    return algebra.put(trees, files.tree, where, owned(entry, owner), _parent(None))


@operation
def copy_directory(
    evaluator: Evaluator,
    files: Snapshot,
    source: Snapshot,
    *,
    path: str,
    source_path: str,
    selection: Selection,
    owner: Owner | None,
    permissions: int | None = None,
) -> str:
    """With the selected part of a directory of another file system merged in at ``path``."""
    trees = evaluator.store.trees
    entry = entry_at(evaluator, source, source_path)
    if entry.kind != DIRECTORY:
        raise EngineError(f"path {source_path} is a file, not a directory")
    over = algebra.select(trees, entry.digest, selection)
    if owner is not None:
        over = algebra.transform(trees, over, lambda each: owned(each, owner))
    where, target = algebra.locate(trees, files.tree, path)
    if target is not None and target.kind != DIRECTORY:
        raise EngineError(f"cannot copy a directory over the file {path}")
    base = target.digest if target is not None else EMPTY
    merged = algebra.merge(trees, base, over)
    if not where:
        return merged
    mode = entry.mode if permissions is None else permissions
    made = target or owned(directory(merged, mode), owner)
    return algebra.put(trees, files.tree, where, made._replace(digest=merged), _parent(owner))


@operation
def make_directory(
    evaluator: Evaluator, files: Snapshot, *, path: str, mode: int, owner: Owner | None
) -> str:
    """With an empty directory at ``path``; one that is there already stays as it is."""
    trees = evaluator.store.trees
    where, found = algebra.locate(trees, files.tree, path)
    if found is not None:
        if found.kind != DIRECTORY:
            raise EngineError(f"{path}: a file is there already")
        return files.tree
    return algebra.put(trees, files.tree, where, owned(directory(EMPTY, mode), owner), _parent(owner))


@operation
def make_symlink(evaluator: Evaluator, files: Snapshot, *, path: str, target: str) -> str:
    """With a symlink at ``path`` that points to ``target``."""
    entry = Entry(SYMLINK, 0o777, 0, 0, target, 0)
    return algebra.put(evaluator.store.trees, files.tree, path, entry, _parent(None))


@operation
def without(evaluator: Evaluator, files: Snapshot, *, paths: tuple[str, ...]) -> str:
    """Without what is at some paths; names may be patterns (``*.py``)."""
    trees, tree = evaluator.store.trees, files.tree
    for path in paths:
        if any(mark in path for mark in "*?["):
            selection = Selection.parse((), (path,))
            tree = algebra.select(trees, tree, selection)
        else:
            tree = algebra.remove(trees, tree, path)
    return tree


@operation
def filtered(evaluator: Evaluator, files: Snapshot, *, path: str, selection: Selection) -> str:
    """The selected part of the directory at ``path``."""
    tree = subdirectory(evaluator, files, path=path)
    return algebra.select(evaluator.store.trees, tree, selection)


@operation
def replaced(evaluator: Evaluator, files: Snapshot, source: Snapshot, *, path: str, source_path: str) -> str:
    """With the directory at ``path`` being exactly a directory of another file system."""
    trees = evaluator.store.trees
    entry = entry_at(evaluator, source, source_path)
    return algebra.put(trees, files.tree, path, entry, _parent(None))


@operation
def difference(evaluator: Evaluator, lower: Snapshot, upper: Snapshot, *, path: str, upper_path: str) -> str:
    """What a directory adds to or changes in another."""
    trees = evaluator.store.trees
    below = subdirectory(evaluator, lower, path=path)
    above = subdirectory(evaluator, upper, path=upper_path)
    return algebra.additions(trees, below, above)


@operation
def timestamped(evaluator: Evaluator, files: Snapshot, *, path: str, seconds: int) -> str:
    """With the modification time of everything at and below ``path`` set, and counting for the digest."""
    trees = evaluator.store.trees
    nanoseconds = seconds * 1_000_000_000

    def pin(entry: Entry) -> Entry:
        return entry._replace(mtime=nanoseconds, pinned=True)

    where, found = algebra.locate(trees, files.tree, path)
    if found is None:
        raise EngineError(f"{path}: no such file or directory")
    below = algebra.transform(trees, found.digest, pin) if found.kind == DIRECTORY else found.digest
    if not where:
        return below
    return algebra.put(trees, files.tree, where, pin(found)._replace(digest=below))


@operation
def chowned(evaluator: Evaluator, files: Snapshot, *, path: str, owner: Owner) -> str:
    """With everything at and below ``path`` belonging to ``owner``."""
    trees = evaluator.store.trees
    where, found = algebra.locate(trees, files.tree, path)
    if found is None:
        raise EngineError(f"{path}: no such file or directory")
    below = found.digest
    if found.kind == DIRECTORY:
        below = algebra.transform(trees, found.digest, lambda each: owned(each, owner))
    if not where:
        return below
    return algebra.put(trees, files.tree, where, owned(found, owner)._replace(digest=below))


@operation
def file_alone(
    evaluator: Evaluator,
    files: Snapshot,
    *,
    path: str,
    name: str,
    mode: int | None = None,
    plain: bool = False,
) -> str:
    """A file system that holds nothing but the file at ``path``, named ``name``; ``plain`` forgets its owner."""
    entry = entry_at(evaluator, files, path)
    if entry.kind == DIRECTORY:
        raise EngineError(f"path {path} is a directory, not a file")
    if mode is not None:
        entry = entry._replace(mode=mode)
    if plain:
        entry = entry._replace(uid=0, gid=0, mtime=EPOCH_NS)
    return evaluator.store.trees.save({name: entry})


@operation
def gitignored(evaluator: Evaluator, files: Snapshot, *, path: str) -> str:
    """The directory at ``path`` without what its .gitignore files leave out."""
    return _gitignored(evaluator, subdirectory(evaluator, files, path=path), "", Ignores())


def _gitignored(evaluator: Evaluator, digest: str, prefix: str, ignores: Ignores) -> str:
    trees = evaluator.store.trees
    listing = trees.load(digest)
    rules = listing.get(".gitignore")
    if rules is not None and rules.kind == REGULAR:
        ignores = ignores.adding(evaluator.store.read(rules.digest).decode(errors="replace"), prefix)
    kept = {}
    for name, entry in listing.items():
        is_directory = entry.kind == DIRECTORY
        if ignores.ignored(prefix + name, is_directory=is_directory):
            continue
        below = _gitignored(evaluator, entry.digest, f"{prefix}{name}/", ignores) if is_directory else entry.digest
        kept[name] = entry._replace(digest=below)
    return trees.save(kept)
