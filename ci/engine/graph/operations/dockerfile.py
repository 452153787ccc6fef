"""What COPY and ADD of a Dockerfile do to a file system."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.operations.copying import copy_directory, copy_file
from ci.engine.graph.operations.editing import matching
from ci.engine.graph.operations.registry import operation
from ci.engine.graph.steps.users import Owner
from ci.engine.store import algebra
from ci.engine.store.patterns import Selection
from ci.engine.store.tree import DIRECTORY, Snapshot

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


@operation
def copied_in(
    evaluator: Evaluator,
    files: Snapshot,
    source: Snapshot,
    *,
    sources: tuple[str, ...],
    target: str,
    owner: Owner | str | None,
    mode: int | None,
    selection: Selection,
    unpack: bool = False,
) -> str:
    """With files and directories' contents, by patterns of Go's ``filepath.Match``, copied to ``target``.

    A target with a slash behind, or for more than one source, is a directory. ``unpack`` is ADD's, which
    would unpack archives: those are refused.

    Raises:
        EngineError: a source is not there.
    """
    trees = evaluator.store.trees
    paths: list[str] = []
    for each in sources:
        paths += sorted(matching(trees, source.tree, each)) if set(each) & set("*?[") else [each]
    inside = "/" if len(paths) > 1 and not target.endswith("/") else ""
    for path in paths:
        entry = algebra.lookup(trees, source.tree, path)
        if entry is None:
            raise EngineError(f"lstat {posixpath.join('/', path)}: no such file or directory")
        if unpack and entry.kind != DIRECTORY and path.endswith(_ARCHIVES):
            raise EngineError(f"ADD {path}: no archive is unpacked here: COPY it, RUN tar")
        if entry.kind == DIRECTORY:
            tree = copy_directory(
                evaluator,
                files,
                source,
                path=target,
                source_path=path,
                selection=selection,
                owner=owner,
                permissions=mode,
            )
        else:
            tree = copy_file(
                evaluator, files, source, path=target + inside, source_path=path, mode=mode, owner=owner
            )
        files = Snapshot(tree, files.near)
    return files.tree
