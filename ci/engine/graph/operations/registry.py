"""The registry of pure operations, and what they have in common."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.steps import users
from ci.engine.graph.steps.users import Owner
from ci.engine.store import algebra
from ci.engine.store.tree import DIRECTORY, EMPTY, Change, Entry, Put, directory

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.store.tree import Snapshot, Trees

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


def named_owner(evaluator: Evaluator, files: Snapshot, owner: Owner | str | None) -> Owner | None:
    """The owner that a text names by the passwd and group of ``files``; one that is known stays as it is.

    Raises:
        EngineError: there is no such user or group.
    """
    if not isinstance(owner, str):
        return owner
    if not owner:
        return None
    try:
        return users.owner(evaluator.store, files, owner)
    except EngineError as error:
        raise EngineError(f"failed to parse ownership {owner}: {error}") from None


def missing(path: str, doing: str = "stat") -> EngineError:
    """The error for a path where nothing is."""
    return EngineError(f"{doing} {path}: no such file or directory")


def entry_at(evaluator: Evaluator, snapshot: Snapshot, path: str) -> Entry:
    """What is at ``path``, symlinks followed.

    Raises:
        EngineError: nothing is there.
    """
    _where, entry = algebra.locate(evaluator.store.trees, snapshot.tree, path)
    if entry is None:
        raise missing(path)
    return entry


def directory_at(evaluator: Evaluator, snapshot: Snapshot, path: str) -> Entry:
    """The directory at ``path``, symlinks followed.

    Raises:
        EngineError: nothing is there, or something else.
    """
    entry = entry_at(evaluator, snapshot, path)
    if entry.kind != DIRECTORY:
        raise EngineError(f"path {path} is a file, not a directory")
    return entry


def file_at(evaluator: Evaluator, snapshot: Snapshot, path: str) -> Entry:
    """What is at ``path`` and is no directory, symlinks followed.

    Raises:
        EngineError: nothing is there, or a directory.
    """
    entry = entry_at(evaluator, snapshot, path)
    if entry.kind == DIRECTORY:
        raise EngineError(f"path {path} is a directory, not a file")
    return entry


def put(trees: Trees, tree: str, where: str, entry: Entry) -> str:
    """``tree`` with ``entry`` at ``where``, a path as ``algebra.locate`` gives it; "" is the root.

    Parents that are missing are root's, with mode 0755.
    """
    if not where:
        return entry.digest
    return algebra.put(trees, tree, where, entry, directory(EMPTY))


def place(trees: Trees, tree: str, path: str) -> tuple[str, Entry | None]:
    """Where ``path`` is once the symlinks on the way, but not one at its end, are followed; what is there."""
    folder, _ = algebra.locate(trees, tree, posixpath.dirname(path.rstrip("/")) or "/")
    where = posixpath.join(folder, posixpath.basename(path.rstrip("/")))
    return where, algebra.lookup(trees, tree, where, follow=False)


def replacing(trees: Trees, tree: str, where: str, entry: Entry) -> str:
    """``tree`` with what is at ``where``, whatever it is, replaced by ``entry`` as it stands."""
    changes: list[Change] = [Put(where, entry)]
    return algebra.apply(trees, tree, changes)
