"""``Directory.search`` and ``File.search``: lines that match a pattern, with where they are."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.api.types.common import works
from ci.engine.api.types.directory import entry as directory_entry
from ci.engine.api.types.file import entry as file_entry
from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory, File
from ci.engine.graph.texts.search import Hit, Query, search
from ci.engine.store import algebra
from ci.engine.store.gitignore import Ignores
from ci.engine.store.tree import DIRECTORY, REGULAR, Entry
from ci.engine.store.wildcards import BadPattern, Matcher, matcher

if TYPE_CHECKING:
    from ci.engine.store.store import Store

serves_attributes(
    "SearchResult", "file_path", "line_number", "absolute_offset", "matched_lines", "submatches"
)
serves_attributes("SearchSubmatch", "text", "start", "end")

#: The files that ``skipIgnored`` honours, the one that wins last.
_IGNORE_FILES = (".gitignore", ".ignore", ".rgignore")


def _found(
    store: Store, files: Iterator[tuple[str, Entry]], query: Query, *, files_only: bool, limit: int | None
) -> list[Hit]:
    hits: list[Hit] = []
    query.compiled()
    for path, entry in files:
        found = search(store.read(entry.digest), query)
        if files_only and found:
            found = [Hit(0, 0, "")]
        hits += [replace(hit, file_path=path) for hit in found]
        if limit is not None and not files_only and len(hits) >= limit:
            return hits[:limit]
    return hits


class _Walk:
    """The files that a search of a directory looks at, in the order of their paths."""

    def __init__(self, store: Store, globs: list[str], *, skip_ignored: bool, skip_hidden: bool) -> None:
        self._store = store
        try:
            self._globs = [(each.startswith("!"), _glob(each.removeprefix("!"))) for each in globs]
        except BadPattern as error:
            raise EngineError(f"ripgrep error: {error}") from error
        self._skip_ignored = skip_ignored
        self._skip_hidden = skip_hidden

    def below(self, digest: str, prefix: str, ignores: Ignores) -> Iterator[tuple[str, Entry]]:
        """The files below a directory, whose path is ``prefix`` ("" or ending in "/")."""
        listing = self._store.trees.load(digest)
        names = tuple(prefix.split("/")[:-1])
        if self._skip_ignored:
            for name in _IGNORE_FILES:
                rules = listing.get(name)
                if rules is not None and rules.kind == REGULAR:
                    text = self._store.read(rules.digest).decode(errors="replace")
                    ignores = ignores.adding(text, len(names))
        for name in sorted(listing):
            entry, path = listing[name], prefix + name
            if self._skip_hidden and name.startswith("."):
                continue
            if ignores.ignored((*names, name), is_directory=entry.kind == DIRECTORY):
                continue
            if entry.kind == DIRECTORY:
                yield from self.below(entry.digest, path + "/", ignores)
            elif entry.kind == REGULAR and self._wanted(path):
                yield path, entry

    def _wanted(self, path: str) -> bool:
        if not self._globs:
            return True
        decided = [negated for negated, matches in self._globs if matches(path)]
        return not decided[-1] if decided else all(negated for negated, _ in self._globs)


def _glob(pattern: str) -> Matcher:
    anchored = "/" in pattern.rstrip("/")
    return matcher(pattern.lstrip("/") if anchored else f"**/{pattern}")


def _local(path: str) -> str:
    relative = posixpath.normpath(path.lstrip("/") if path.startswith("/") else path)
    if relative == ".." or relative.startswith("../"):
        raise EngineError(f"path cannot escape directory: {path}")
    return relative


@serves("Directory", field="search")
async def search_directory(  # pylint: disable=too-many-arguments,too-many-locals  # the API's own
    call: Call,
    parent: Directory,
    *,
    pattern: str,
    paths: list[str] | None = None,
    globs: list[str] | None = None,
    literal: bool = False,
    multiline: bool = False,
    dotall: bool = False,
    insensitive: bool = False,
    skip_ignored: bool = False,
    skip_hidden: bool = False,
    files_only: bool = False,
    limit: int | None = None,
) -> list[Hit]:
    """Where the files in it match a pattern; all of them, or those at some paths or of some names."""
    parts = works(call)
    wanted = [_local(path) for path in paths or ()]
    query = Query(pattern, literal, multiline, dotall, insensitive)
    walk = _Walk(parts.store, globs or [], skip_ignored=skip_ignored, skip_hidden=skip_hidden)
    await directory_entry(call, parent)
    snapshot = await parts.evaluator.evaluate(parent.files)
    trees = parts.store.trees

    def files() -> Iterator[tuple[str, Entry]]:
        base, _ = algebra.locate(trees, snapshot.tree, parent.path)
        for path in wanted or ["."]:
            where, entry = algebra.locate(trees, snapshot.tree, posixpath.join("/", base, path))
            if entry is None:
                raise EngineError(f"ripgrep error: rg: {path}: No such file or directory (os error 2)")
            shown = posixpath.relpath("/" + where, "/" + base)
            if entry.kind == DIRECTORY:
                yield from walk.below(entry.digest, "" if shown == "." else shown + "/", Ignores())
            else:
                yield shown, entry

    return await parts.evaluator.in_thread(
        lambda: _found(parts.store, files(), query, files_only=files_only, limit=limit)
    )


@serves("File", field="search")
async def search_file(  # pylint: disable=too-many-arguments,too-many-locals  # the API's own
    call: Call,
    parent: File,
    *,
    pattern: str,
    paths: list[str] | None = None,
    globs: list[str] | None = None,
    literal: bool = False,
    multiline: bool = False,
    dotall: bool = False,
    insensitive: bool = False,
    skip_ignored: bool = False,
    skip_hidden: bool = False,
    files_only: bool = False,
    limit: int | None = None,
) -> list[Hit]:
    """Where it matches a pattern, whatever its name and whether it is hidden or ignored."""
    del paths, globs, skip_ignored, skip_hidden
    parts = works(call)
    query = Query(pattern, literal, multiline, dotall, insensitive)
    files = iter([(posixpath.basename(parent.path), await file_entry(call, parent))])
    return await parts.evaluator.in_thread(
        lambda: _found(parts.store, files, query, files_only=files_only, limit=limit)
    )
