"""Operations that look at one place of a file system: sub-directories, single files, what must be there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.operations.registry import directory_at, file_at, missing, operation, place
from ci.engine.store import algebra
from ci.engine.store.tree import DIRECTORY, EPOCH_NS, Put, Remove

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.store.tree import Snapshot


@operation
def subdirectory(evaluator: Evaluator, files: Snapshot, *, path: str) -> str:
    """The directory at ``path`` as a file system of its own."""
    return directory_at(evaluator, files, path).digest


@operation
def expect_directory(evaluator: Evaluator, files: Snapshot, *, path: str, shown: str) -> str:
    """The same file system, once it is sure that a directory is at ``path``; errors name it ``shown``."""
    _where, entry = algebra.locate(evaluator.store.trees, files.tree, path)
    if entry is None:
        raise missing(shown)
    if entry.kind != DIRECTORY:
        raise EngineError(f"path {shown} is a file, not a directory")
    return files.tree


@operation
def expect_file(evaluator: Evaluator, files: Snapshot, *, path: str, shown: str) -> str:
    """The same file system, once it is sure that no directory is at ``path``; errors name it ``shown``."""
    _where, entry = algebra.locate(evaluator.store.trees, files.tree, path)
    if entry is None:
        raise missing(shown)
    if entry.kind == DIRECTORY:
        raise EngineError(f"path {shown} is a directory, not a file")
    return files.tree


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
    """A file system with nothing but the file at ``path``, named ``name``; ``plain`` forgets its owner."""
    entry = file_at(evaluator, files, path)
    if mode is not None:
        entry = entry._replace(mode=mode)
    if plain:
        entry = entry._replace(uid=0, gid=0, mtime=EPOCH_NS)
    return evaluator.store.trees.save({name: entry})


@operation
def renamed(evaluator: Evaluator, files: Snapshot, *, path: str, to: str) -> str:
    """With the file at ``path`` under another name, ``to``, in the same directory."""
    trees = evaluator.store.trees
    where, entry = place(trees, files.tree, path)
    if entry is None:
        raise missing(path, "rename")
    target = posixpath.join(posixpath.dirname(where), to)
    return algebra.apply(trees, files.tree, [Remove(where), Put(target, entry)])
