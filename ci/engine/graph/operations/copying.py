"""Operations that copy files and directories between file systems, whole or by patterns."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.operations.registry import (
    directory_at,
    file_at,
    named_owner,
    operation,
    owned,
    place,
    put,
)
from ci.engine.graph.steps.users import Owner
from ci.engine.store import algebra
from ci.engine.store.gitignore import Ignores
from ci.engine.store.patterns import Selection
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, SYMLINK, Entry

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.store.tree import Snapshot


@operation
def copy_file(
    evaluator: Evaluator,
    files: Snapshot,
    source: Snapshot,
    *,
    path: str,
    source_path: str,
    mode: int | None,
    owner: Owner | str | None,
) -> str:
    """With a copy of a file of another file system, in place of what is at ``path``.

    A ``path`` that is a directory, or ends in ``/``, takes the file in under its own name.
    """
    trees = evaluator.store.trees
    entry = file_at(evaluator, source, source_path)
    target = algebra.lookup(trees, files.tree, path)
    if path.endswith("/") or (target is not None and target.kind == DIRECTORY):
        path = posixpath.join(path, posixpath.basename(source_path))
    if mode is not None:
        entry = entry._replace(mode=mode & 0o7777)
    where, _ = place(trees, files.tree, path)
    return put(trees, files.tree, where, owned(entry, named_owner(evaluator, files, owner)))


@operation
def copy_directory(
    evaluator: Evaluator,
    files: Snapshot,
    source: Snapshot,
    *,
    path: str,
    source_path: str,
    selection: Selection,
    owner: Owner | str | None,
    permissions: int | None = None,
    gitignore: bool = False,
) -> str:
    """With the selected part of a directory of another file system merged in at ``path``.

    ``owner`` and ``permissions`` are given to the directory and to everything that is copied.
    """
    trees = evaluator.store.trees
    given = _giving(named_owner(evaluator, files, owner), permissions)
    top = directory_at(evaluator, source, source_path)
    over = _selected(evaluator, source, source_path, selection, gitignore=gitignore)
    if owner or permissions is not None:
        over = algebra.transform(trees, over, given)
    where, target = algebra.locate(trees, files.tree, path)
    if target is None or target.kind != DIRECTORY:
        return put(trees, files.tree, where, given(top)._replace(digest=over))
    tree = put(trees, files.tree, where, given(target)) if where else files.tree
    return algebra.merge(trees, tree, where, over)


def _giving(owner: Owner | None, permissions: int | None) -> Callable[[Entry], Entry]:
    """What gives an owner and permissions to entries; a symlink has no permissions of its own."""

    def given(entry: Entry) -> Entry:
        if permissions is not None and entry.kind != SYMLINK:
            entry = entry._replace(mode=permissions & 0o7777)
        return owned(entry, owner)

    return given


@operation
def filtered(
    evaluator: Evaluator, files: Snapshot, *, path: str, selection: Selection, gitignore: bool = False
) -> str:
    """The selected part of the directory at ``path``."""
    directory_at(evaluator, files, path)
    return _selected(evaluator, files, path, selection, gitignore=gitignore)


@operation
def gitignored(evaluator: Evaluator, files: Snapshot, *, path: str) -> str:
    """The directory at ``path`` without what .gitignore files, in it and above it, leave out."""
    directory_at(evaluator, files, path)
    return _selected(evaluator, files, path, Selection.parse(), gitignore=True)


def _selected(
    evaluator: Evaluator, files: Snapshot, path: str, selection: Selection, *, gitignore: bool
) -> str:
    trees = evaluator.store.trees
    where, found = algebra.locate(trees, files.tree, path)
    if found is None:
        raise EngineError(f"stat {path}: no such file or directory")
    if not gitignore:
        return algebra.select(trees, found.digest, selection)
    names = tuple(name for name in where.split("/") if name)

    def read(entry: Entry) -> str:
        return evaluator.store.read(entry.digest).decode(errors="replace")

    ignores = Ignores()
    for depth in range(len(names)):
        rules = algebra.lookup(trees, files.tree, "/".join((*names[:depth], ".gitignore")), follow=False)
        if rules is not None and rules.kind == REGULAR:
            ignores = ignores.adding(read(rules), depth)
    return algebra.select(trees, found.digest, selection, ignores=ignores, read=read, above=names)


@operation
def additions(evaluator: Evaluator, lower: Snapshot, upper: Snapshot, *, path: str, upper_path: str) -> str:
    """What a directory adds to or changes in another."""
    below = directory_at(evaluator, lower, path).digest
    above = directory_at(evaluator, upper, upper_path).digest
    return EMPTY if above == below else algebra.additions(evaluator.store.trees, below, above)
