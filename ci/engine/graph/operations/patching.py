"""Operations that apply a patch, or the changes between two directories, to a directory."""

from __future__ import annotations

import posixpath
import stat
from typing import TYPE_CHECKING

from ci.engine.graph.changes import changed_paths, patch_text
from ci.engine.graph.operations.registry import directory_at, file_at, operation, put
from ci.engine.graph.texts import unified
from ci.engine.graph.texts.unified import FilePatch, PatchError
from ci.engine.store import algebra
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, SYMLINK, Entry, Trees, directory

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.store.store import Store
    from ci.engine.store.tree import Snapshot


@operation
def patched(evaluator: Evaluator, files: Snapshot, patch: Snapshot, *, path: str, patch_path: str) -> str:
    """With a patch applied to the directory at ``path``: all of it, or else it is an error."""
    store = evaluator.store
    before = directory_at(evaluator, files, path)
    tree = before.digest
    for change in unified.parse(store.read(file_at(evaluator, patch, patch_path).digest)):
        tree = _patched(store, tree, change)
    where, _ = algebra.locate(store.trees, files.tree, path)
    return put(store.trees, files.tree, where, before._replace(digest=tree))


def _patched(store: Store, tree: str, change: FilePatch) -> str:
    old = None if change.old is None else algebra.lookup(store.trees, tree, change.old, follow=False)
    if change.old is not None and (old is None or old.kind == DIRECTORY):
        raise PatchError(f"{change.old}: No such file or directory", 1)
    if change.old != change.new and change.new is not None:
        taken = algebra.lookup(store.trees, tree, change.new, follow=False)
        if taken is not None:
            raise PatchError(f"{change.new}: already exists in working directory", 1)
    content = unified.applied(_content(store, old), change)
    if change.new is None:
        if content:
            raise PatchError(f"removal patch leaves file contents: {change.old}", 1)
        return _pruned(store, tree, str(change.old))
    made = _entry(store, change, old, content)
    if change.old is not None and change.old != change.new and not change.copied:
        tree = _pruned(store, tree, change.old)
    return put(store.trees, tree, change.new, made)


def _content(store: Store, entry: Entry | None) -> bytes:
    if entry is None:
        return b""
    if entry.kind == SYMLINK:
        return entry.digest.encode("utf-8", "surrogateescape")
    return store.read(entry.digest)


def _entry(store: Store, change: FilePatch, old: Entry | None, content: bytes) -> Entry:
    link = stat.S_ISLNK(change.mode) if change.mode is not None else old is not None and old.kind == SYMLINK
    if link:
        return Entry(SYMLINK, 0o777, 0, 0, content.decode("utf-8", "surrogateescape"), 0)
    mode = change.mode if change.mode is not None else old.mode if old is not None else 0o644
    digest, size = store.keep(content)
    # As git leaves them that is run without a umask, by Dagger's engine.
    return Entry(REGULAR, 0o777 if mode & 0o100 else 0o666, 0, 0, digest, size)


def _pruned(store: Store, tree: str, path: str) -> str:
    """``tree`` without a file, and without the directories that are left empty by that."""
    tree = algebra.remove(store.trees, tree, path)
    while path := posixpath.dirname(path):
        found = algebra.lookup(store.trees, tree, path)
        if found is None or found.digest != EMPTY:
            break
        tree = algebra.remove(store.trees, tree, path)
    return tree


@operation
def patch_file(
    evaluator: Evaluator, before: Snapshot, after: Snapshot, *, path: str, after_path: str, name: str
) -> str:
    """A file system that holds the patch, named ``name``, from one directory to another."""
    store = evaluator.store
    old, new = directory_at(evaluator, before, path).digest, directory_at(evaluator, after, after_path).digest
    digest, size = store.keep(patch_text(store, old, new))
    return store.trees.save({name: Entry(REGULAR, 0o644, 0, 0, digest, size)})


@operation
def with_changes(
    evaluator: Evaluator,
    files: Snapshot,
    before: Snapshot,
    after: Snapshot,
    *,
    path: str,
    from_path: str,
    to_path: str,
) -> str:
    """With what differs between two directories done to the directory at ``path``."""
    target = directory_at(evaluator, files, path)
    old = directory_at(evaluator, before, from_path).digest
    new = directory_at(evaluator, after, to_path).digest
    tree = _changed(evaluator.store.trees, target.digest, old, new)
    where, _ = algebra.locate(evaluator.store.trees, files.tree, path)
    return put(evaluator.store.trees, files.tree, where, target._replace(digest=tree))


def _changed(trees: Trees, tree: str, old: str, new: str) -> str:
    """``tree`` with what makes ``new`` of ``old`` done to it."""
    changed = changed_paths(trees, old, new)
    for gone in changed.removed:
        tree = algebra.remove(trees, tree, gone)
    tree = algebra.merge(trees, tree, "", algebra.additions(trees, old, new))
    for made in changed.added:
        if made.endswith("/") and algebra.lookup(trees, tree, made) is None:
            tree = put(trees, tree, made.rstrip("/"), directory(EMPTY))
    return tree
