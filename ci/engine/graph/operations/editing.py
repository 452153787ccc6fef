"""Operations that change one file system: new files, directories and links, owners, times, removals."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.operations.registry import (
    directory_at,
    entry_at,
    file_at,
    named_owner,
    operation,
    owned,
    place,
    put,
)
from ci.engine.graph.steps.users import Owner
from ci.engine.graph.texts import text
from ci.engine.store import algebra
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, SYMLINK, Entry, directory
from ci.engine.store.wildcards import BadPattern, glob

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.store.tree import Snapshot, Trees


@operation
def new_file(
    evaluator: Evaluator, files: Snapshot, *, path: str, content: str, mode: int, owner: Owner | None
) -> str:
    """With a file whose bytes have the sha256 ``content``; one that is there is written over.

    A file that is written over keeps its mode and owner, and a symlink to it is followed.
    """
    trees = evaluator.store.trees
    where, found = algebra.locate(trees, files.tree, path)
    if found is not None and found.kind == DIRECTORY:
        raise EngineError(f"open {path}: is a directory")
    size = evaluator.store.locate(content).stat().st_size
    entry = Entry(REGULAR, mode or 0o644, 0, 0, content, size)
    if found is not None:
        entry = entry._replace(mode=found.mode, uid=found.uid, gid=found.gid)
    return put(trees, files.tree, where, owned(entry, owner))


@operation
def rewritten(evaluator: Evaluator, files: Snapshot, *, path: str, content: str) -> str:
    """With other bytes, of the sha256 ``content``, in the file at ``path``."""
    entry = file_at(evaluator, files, path)
    return new_file(evaluator, files, path=path, content=content, mode=entry.mode, owner=None)


@operation
def make_directory(
    evaluator: Evaluator, files: Snapshot, *, path: str, mode: int, owner: Owner | None
) -> str:
    """With a directory at ``path``, made like its missing parents; one that is there stays as it is."""
    trees = evaluator.store.trees
    where, found = algebra.locate(trees, files.tree, path)
    if found is not None:
        if found.kind != DIRECTORY:
            raise EngineError(f"mkdir {path}: not a directory")
        return files.tree
    made = owned(directory(EMPTY, mode or 0o755), owner)
    return algebra.put(trees, files.tree, where, made, made)


@operation
def make_symlink(evaluator: Evaluator, files: Snapshot, *, path: str, target: str) -> str:
    """With a symlink at ``path`` that points to ``target``.

    Raises:
        EngineError: something is there already.
    """
    trees = evaluator.store.trees
    where, found = place(trees, files.tree, path)
    if found is not None:
        raise EngineError(f"symlink {target} {posixpath.join('/', path)}: file exists")
    return put(trees, files.tree, where, Entry(SYMLINK, 0o777, 0, 0, target, 0))


@operation
def without(evaluator: Evaluator, files: Snapshot, *, paths: tuple[str, ...]) -> str:
    """Without what is at some paths; one with a ``*`` is a pattern, whose wildcards stay within a name."""
    trees, tree = evaluator.store.trees, files.tree
    for path in paths:
        for found in list(matching(trees, tree, path)) if "*" in path else [path]:
            where, entry = place(trees, tree, found)
            tree = tree if entry is None else algebra.remove(trees, tree, where)
    return tree


def matching(trees: Trees, tree: str, path: str) -> Iterator[str]:
    """The paths that a pattern matches, none of them below another."""
    names = algebra.parts(path)
    plain = [bool(set(name) & set("*?[")) for name in names].index(True)
    try:
        matchers = [glob(name) for name in names[plain:]]
    except BadPattern as error:
        raise EngineError(str(error)) from error
    where, found = algebra.locate(trees, tree, "/".join(names[:plain]))
    pending = [(where, found, 0)]
    while pending:
        prefix, entry, depth = pending.pop()
        if entry is None or entry.kind != DIRECTORY:
            continue
        for name, inner in trees.load(entry.digest).items():
            if not matchers[depth](name):
                continue
            if depth + 1 == len(matchers):
                yield posixpath.join(prefix, name)
            else:
                pending.append((posixpath.join(prefix, name), inner, depth + 1))


@operation
def timestamped(evaluator: Evaluator, files: Snapshot, *, path: str, seconds: int) -> str:
    """With the modification time of everything at and below ``path`` set, and counting for the digest."""
    trees = evaluator.store.trees
    nanoseconds = seconds * 1_000_000_000

    def pin(entry: Entry) -> Entry:
        return entry._replace(mtime=nanoseconds, pinned=True)

    where, found = algebra.locate(trees, files.tree, path)
    found = found or entry_at(evaluator, files, path)
    below = algebra.transform(trees, found.digest, pin) if found.kind == DIRECTORY else found.digest
    return put(trees, files.tree, where, pin(found)._replace(digest=below))


@operation
def chowned(evaluator: Evaluator, files: Snapshot, *, path: str, owner: Owner | str) -> str:
    """With everything at and below ``path`` belonging to ``owner``; a name is looked up in ``files``."""
    trees = evaluator.store.trees
    who = named_owner(evaluator, files, owner)
    where, found = algebra.locate(trees, files.tree, path)
    found = found or directory_at(evaluator, files, path)
    below = found.digest
    if found.kind == DIRECTORY:
        below = algebra.transform(trees, found.digest, lambda each: owned(each, who))
    return put(trees, files.tree, where, owned(found, who)._replace(digest=below))


@operation
def text_replaced(
    evaluator: Evaluator,
    files: Snapshot,
    *,
    path: str,
    old: str,
    new: str,
    everywhere: bool,
    first_from: int | None,
) -> str:
    """With a text replaced in the file at ``path``, which keeps its name, mode and owner."""
    data = evaluator.store.read(file_at(evaluator, files, path).digest)
    changed = text.replaced(data, old, new, everywhere=everywhere, first_from=first_from)
    content, _ = evaluator.store.keep(changed)
    return rewritten(evaluator, files, path=path, content=content)
