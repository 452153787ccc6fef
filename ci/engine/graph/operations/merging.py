"""The operation that merges the changes of two changesets, with git's words for what conflicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.changes import differs, listed
from ci.engine.graph.operations.registry import directory_at, operation, put
from ci.engine.graph.texts import threeway
from ci.engine.store import algebra
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, Entry, directory

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.store.store import Store
    from ci.engine.store.tree import Snapshot

_FAILED = "Automatic merge failed; fix conflicts and then commit the result.\n"


@operation
def merged_changes(
    evaluator: Evaluator,
    before: Snapshot,
    after: Snapshot,
    others_before: Snapshot,
    others_after: Snapshot,
    *,
    roots: tuple[str, str, str, str],
    on_conflict: str,
    names: str,
) -> str:
    """The directory ``after`` with what makes ``others_after`` of ``others_before`` done to it too.

    ``roots`` are where the four directories lie; ``names`` are the branches that git would be told to merge.

    Raises:
        EngineError: both changed a path, and ``on_conflict`` (a ChangesetMergeConflict) does not settle it.
    """
    given = (before, after, others_before, others_after)
    trees = [directory_at(evaluator, each, path).digest for each, path in zip(given, roots, strict=True)]
    merge = _Merge(evaluator.store, trees[0], trees[1], on_conflict)
    for path, old, new in listed(evaluator.store.trees, trees[2], trees[3]):
        merge.change(path, old, new)
    if merge.conflicts and on_conflict != "LEAVE_CONFLICT_MARKERS":
        told = "".join((*merge.said, _FAILED))
        raise EngineError(f"git [merge --no-edit --no-commit {names}]: exit status 1: {told}")
    return merge.tree


def _same(one: Entry | None, other: Entry | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.kind == DIRECTORY == other.kind) or not differs(one, other)


@dataclass(slots=True)
class _Merge:
    """A merge on its way: ``tree`` is what there is of it, ``said`` what git would have said."""

    store: Store
    before: str
    tree: str
    on_conflict: str
    conflicts: int = 0
    said: list[str] = field(default_factory=list)

    def change(self, path: str, old: Entry | None, new: Entry | None) -> None:
        """Do one change of the other side's."""
        trees = self.store.trees
        base = algebra.lookup(trees, self.before, path, follow=False)
        mine = algebra.lookup(trees, self.tree, path, follow=False)
        if DIRECTORY in {each.kind for each in (old, new, mine) if each is not None}:
            self._folder(path, new, mine)
        elif _same(base, mine):
            self._set(path, new)
        elif self.on_conflict == "FAIL_EARLY":
            raise EngineError(f'conflict between changesets at path "{path}": {_how(base, mine, new)}')
        elif not _same(mine, new):
            self._conflict(path, base, mine, new)

    def _folder(self, path: str, new: Entry | None, mine: Entry | None) -> None:
        if new is None and mine is not None and mine.kind == DIRECTORY and mine.digest == EMPTY:
            self._set(path, None)
        elif new is not None and mine is None:
            self._set(path, directory(EMPTY) if new.kind == DIRECTORY else new)

    def _set(self, path: str, entry: Entry | None) -> None:
        trees = self.store.trees
        if entry is None:
            self.tree = algebra.remove(trees, self.tree, path)
        else:
            self.tree = put(trees, self.tree, path, entry)

    def _conflict(self, path: str, base: Entry | None, mine: Entry | None, new: Entry | None) -> None:
        prefer = {"PREFER_OURS": mine, "PREFER_THEIRS": new}
        if mine is None or new is None:
            gone, there = ("HEAD", "theirs") if mine is None else ("theirs", "HEAD")
            self.said.append(
                f"CONFLICT (modify/delete): {path} deleted in {gone} and modified in {there}.  "
                f"Version {there} of {path} left in tree.\n"
            )
            self.conflicts += self.on_conflict not in prefer
            self._set(path, prefer.get(self.on_conflict, mine or new))
        elif REGULAR == mine.kind == new.kind:
            self._text(path, base, mine, new)
        else:
            self.said.append(f"CONFLICT (content): Merge conflict in {path}\n")
            self.conflicts += self.on_conflict not in prefer
            self._set(path, prefer.get(self.on_conflict, mine))

    def _text(self, path: str, base: Entry | None, mine: Entry, new: Entry) -> None:
        read = self.store.read
        old = read(base.digest) if base is not None and base.kind == REGULAR else b""
        chunks = threeway.merged(old, read(mine.digest), read(new.digest))
        self.said.append(f"Auto-merging {path}\n")
        if any(chunk.theirs is not None for chunk in chunks) and not self.on_conflict.startswith("PREFER"):
            self.conflicts += 1
            kind = "content" if base is not None else "add/add"
            self.said.append(f"CONFLICT ({kind}): Merge conflict in {path}\n")
        digest, size = self.store.keep(b"".join(self._lines(chunk) for chunk in chunks))
        self._set(path, mine._replace(digest=digest, size=size))

    def _lines(self, chunk: threeway.Chunk) -> bytes:
        ours = b"".join(chunk.ours)
        if chunk.theirs is None or self.on_conflict == "PREFER_OURS":
            return ours
        theirs = b"".join(chunk.theirs)
        if self.on_conflict == "PREFER_THEIRS":
            return theirs
        return b"<<<<<<< HEAD\n" + ours + b"=======\n" + theirs + b">>>>>>> theirs\n"


def _how(base: Entry | None, mine: Entry | None, new: Entry | None) -> str:
    if base is None:
        return "path added in both changesets"
    if mine is None or new is None:
        return "path modified in one changeset and removed in the other"
    return "path modified in both changesets"
