"""Operations on file systems as values: look up, put, remove, copy, select, compare. No disk is touched."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ci.engine.store.gitignore import Ignores
from ci.engine.store.patterns import Selection, State
from ci.engine.store.tree import (
    DIRECTORY,
    EMPTY,
    REGULAR,
    SYMLINK,
    Change,
    Clear,
    Entry,
    Listing,
    Put,
    Remove,
    Trees,
    directory,
)

_LINKS = 40


class PathError(Exception):
    """A path that can't be followed in a tree."""


class NotFound(PathError):
    """Nothing is there."""


class NotADirectory(PathError):
    """A directory was expected."""


class TooManyLinks(PathError):
    """Symlinks that lead in a circle."""


def parts(path: str) -> list[str]:
    """A path's names, made absolute and lexically cleaned (``..`` never climbs over the root)."""
    return [name for name in posixpath.normpath("/" + path).split("/") if name]


def _absolute(path: str) -> str:
    return "/" + "/".join(parts(path))


def locate(trees: Trees, root: str, path: str, *, follow: bool = True) -> tuple[str, Entry | None]:
    """Where ``path`` leads once symlinks are followed inside ``root``, and what is there.

    Parents that don't exist are taken as they are written. ``follow`` says whether a symlink at the
    end is followed too. Returns the path without a leading slash ("" is the root) and the entry.

    Raises:
        TooManyLinks: symlinks lead in a circle.
        NotADirectory: a parent is a file.
    """
    pending = list(reversed(parts(path)))
    done: list[tuple[str, str]] = []  # (name, digest of the directory that holds it)
    listing_digest: str | None = root
    entry: Entry | None = directory(root)
    links = 0
    while pending:
        name = pending.pop()
        if name == "..":
            if done:
                _, listing_digest = done.pop()
                entry = directory(listing_digest)
            continue
        if listing_digest is None:
            done.append((name, EMPTY))
            continue
        found = trees.load(listing_digest).get(name)
        if found is not None and found.kind == SYMLINK and (pending or follow):
            links += 1
            if links > _LINKS:
                raise TooManyLinks(f"{path}: too many levels of symbolic links")
            if found.digest.startswith("/"):
                done, listing_digest, entry = [], root, directory(root)
            pending.extend(n for n in reversed(found.digest.split("/")) if n not in ("", "."))
            continue
        if found is not None and found.kind != DIRECTORY and pending:
            raise NotADirectory(f"lstat {_absolute(path)}: not a directory")
        done.append((name, listing_digest))
        entry = found
        listing_digest = found.digest if found is not None and found.kind == DIRECTORY else None
    return "/".join(name for name, _ in done), entry


def lookup(trees: Trees, root: str, path: str, *, follow: bool = True) -> Entry | None:
    """The entry at ``path``, or None; symlinks are followed inside ``root``."""
    try:
        return locate(trees, root, path, follow=follow)[1]
    except NotADirectory:
        return None


def subtree(trees: Trees, root: str, path: str) -> str:
    """The digest of the directory at ``path``.

    Raises:
        NotFound, NotADirectory: there is none.
    """
    entry = lookup(trees, root, path)
    if entry is None:
        raise NotFound(f"{path}: no such file or directory")
    if entry.kind != DIRECTORY:
        raise NotADirectory(f"{path}: not a directory")
    return entry.digest


@dataclass(slots=True)
class _Edit:
    """Changes to one directory and below, gathered before they are applied in one pass."""

    clear: bool = False
    removed: set[str] = field(default_factory=set)
    entries: dict[str, Entry] = field(default_factory=dict)
    below: dict[str, _Edit] = field(default_factory=dict)


def apply(trees: Trees, root: str, changes: Iterable[Change]) -> str:
    """The tree that ``changes`` make of ``root``; their paths are taken literally, in their order."""
    top = _Edit()
    for change in changes:
        names = parts(change.path)
        if not names:
            top.clear = top.clear or isinstance(change, Clear)
            continue
        edit = top
        for name in names[:-1]:
            edit = edit.below.setdefault(name, _Edit())
        last = names[-1]
        if isinstance(change, Put):
            edit.entries[last] = change.entry
            if change.entry.kind != DIRECTORY:
                edit.below.pop(last, None)
        elif isinstance(change, Clear):
            edit.below.setdefault(last, _Edit()).clear = True
        else:
            edit.removed.add(last)
            edit.entries.pop(last, None)
            edit.below.pop(last, None)
    return _applied(trees, root, top)


def _applied(trees: Trees, digest: str, edit: _Edit) -> str:
    old = {} if edit.clear else trees.load(digest)
    new = {name: entry for name, entry in old.items() if name not in edit.removed}
    for name, entry in edit.entries.items():
        if entry.kind == DIRECTORY and not entry.digest:
            before = new.get(name)
            kept = before.digest if before is not None and before.kind == DIRECTORY else EMPTY
            new[name] = entry._replace(digest=kept)
        else:
            new[name] = entry
    for name, below in edit.below.items():
        before = new.get(name)
        if before is None or before.kind != DIRECTORY:
            before = directory(EMPTY)
        new[name] = before._replace(digest=_applied(trees, before.digest, below))
    return trees.save(new)


def put(trees: Trees, root: str, path: str, entry: Entry, parent: Entry | None = None) -> str:
    """``root`` with ``entry`` at ``path``; missing parents are made like ``parent`` (0755, root).

    Symlinked parents are followed; a symlink at the end is replaced.
    """
    where, _ = locate(trees, root, posixpath.dirname("/" + path.lstrip("/")))
    names = [*parts(where), posixpath.basename(path.rstrip("/"))]
    made: list[Change] = []
    listing: str | None = root
    for depth, name in enumerate(names[:-1], 1):
        found = trees.load(listing).get(name) if listing is not None else None
        if found is not None and found.kind != DIRECTORY:
            raise NotADirectory(f"lstat {_absolute(path)}: not a directory")
        listing = found.digest if found is not None else None
        if found is None:
            made.append(Put("/".join(names[:depth]), parent or directory(EMPTY)))
    return apply(trees, root, [*made, Put("/".join(names), entry)])


def remove(trees: Trees, root: str, path: str) -> str:
    """``root`` without what is at ``path``; nothing happens when nothing is there."""
    names = parts(path)
    if not names:
        return EMPTY
    where, found = locate(trees, root, path, follow=False)
    return root if found is None else apply(trees, root, [Remove(where)])


def merge(trees: Trees, root: str, path: str, over: str) -> str:
    """``root`` with the tree ``over`` copied into the directory at ``path``, which must be there.

    Directories are merged and take the source's mode and owner, everything else is replaced. A symlink
    to a directory is followed, inside ``root``, when a directory is copied onto it.
    """
    where, found = locate(trees, root, path)
    if found is None or found.kind != DIRECTORY:
        raise NotADirectory(f"{path}: not a directory")
    linked: list[tuple[str, Entry]] = []
    merged = _merged(trees, found.digest, over, f"{where}/", linked)
    root = _with(trees, root, where, found._replace(digest=merged))
    for link, entry in linked:
        target, behind = locate(trees, root, link)
        if behind is not None and behind.kind == DIRECTORY:
            root = _with(trees, root, target, entry._replace(digest=behind.digest))
            root = merge(trees, root, target, entry.digest)
        else:
            root = _with(trees, root, link, entry)
    return root


def _with(trees: Trees, root: str, where: str, entry: Entry) -> str:
    return apply(trees, root, [Put(where, entry)]) if where else entry.digest


def _merged(trees: Trees, base: str, over: str, prefix: str, linked: list[tuple[str, Entry]]) -> str:
    if base in {EMPTY, over}:
        return over
    if over == EMPTY:
        return base
    merged = dict(trees.load(base))
    for name, entry in trees.load(over).items():
        before = merged.get(name)
        if entry.kind == DIRECTORY and before is not None:
            if before.kind == SYMLINK:
                linked.append((prefix + name, entry))
                continue
            if before.kind == DIRECTORY:
                below = _merged(trees, before.digest, entry.digest, f"{prefix}{name}/", linked)
                merged[name] = entry._replace(digest=below)
                continue
        merged[name] = entry
    return trees.save(merged)


def select(
    trees: Trees,
    root: str,
    selection: Selection,
    *,
    ignores: Ignores | None = None,
    read: Callable[[Entry], str] | None = None,
    above: tuple[str, ...] = (),
) -> str:
    """What ``selection``, and .gitignore files if ``ignores`` is given, leave of ``root``.

    A directory stays when it is selected itself, or when something in it is. ``ignores`` has the rules
    from above; ``read`` gives the text of a .gitignore file; ``above`` is where ``root`` lies from the
    top that the rules of ``ignores`` count from.
    """
    if selection.everything and ignores is None:
        return root
    return _Selecting(trees, selection, read, above).below(root, "", ((), ()), ignores)


@dataclass(frozen=True, slots=True)
class _Selecting:
    trees: Trees
    selection: Selection
    read: Callable[[Entry], str] | None
    above: tuple[str, ...]

    def below(self, digest: str, prefix: str, state: State, ignores: Ignores | None) -> str:
        """What is left of the directory at ``prefix`` ("" or ending in "/")."""
        listing = self.trees.load(digest)
        names = (*self.above, *prefix.split("/")[:-1])
        ignores = self._entering(listing, names, ignores)
        kept: dict[str, Entry] = {}
        for name, entry in listing.items():
            path = prefix + name
            taken, inner = self.selection.step(path, state)
            taken = taken and not self._ignored(entry, (*names, name), ignores)
            if entry.kind == DIRECTORY:
                left = self._left(entry, path, taken, inner, ignores)
                if taken or left != EMPTY:
                    kept[name] = entry._replace(digest=left)
            elif taken:
                kept[name] = entry
        return digest if len(kept) == len(listing) and kept == listing else self.trees.save(kept)

    def _ignored(self, entry: Entry, names: tuple[str, ...], ignores: Ignores | None) -> bool:
        if ignores is None:
            return False
        if entry.kind != DIRECTORY:
            return ignores.ignored(names, is_directory=False)
        within = self._entering(self.trees.load(entry.digest), names, ignores)
        return within is not None and within.ignored(names, is_directory=True)

    def _entering(self, listing: Listing, names: tuple[str, ...], ignores: Ignores | None) -> Ignores | None:
        rules = listing.get(".gitignore")
        if ignores is None or self.read is None or rules is None or rules.kind != REGULAR:
            return ignores
        return ignores.adding(self.read(rules), len(names))

    def _left(self, entry: Entry, path: str, taken: bool, state: State, ignores: Ignores | None) -> str:
        if taken and ignores is None and self.selection.takes_all_below(path):
            return entry.digest
        if not self.selection.may_take_below(path, state):
            return EMPTY
        return self.below(entry.digest, path + "/", state, ignores)


def transform(trees: Trees, root: str, change: Callable[[Entry], Entry]) -> str:
    """``root`` with every entry below it run through ``change`` (which must keep digests)."""
    seen: dict[str, str] = {}

    def visit(digest: str) -> str:
        if digest not in seen:
            listing: dict[str, Entry] = {}
            for name, entry in trees.load(digest).items():
                below = entry._replace(digest=visit(entry.digest)) if entry.kind == DIRECTORY else entry
                listing[name] = change(below)
            seen[digest] = trees.save(listing)
        return seen[digest]

    return visit(root)


def _named(entry: Entry) -> Entry:
    return entry if entry.pinned else entry._replace(mtime=0)


def difference(trees: Trees, lower: str, upper: str, prefix: str = "") -> Iterator[Change]:
    """The changes that make ``upper`` of ``lower``; each directory on the way to one comes first."""
    if lower == upper:
        return
    old, new = trees.load(lower), trees.load(upper)
    for name in sorted(old.keys() - new.keys()):
        yield Remove(prefix + name)
    for name in sorted(new):
        entry, before = new[name], old.get(name)
        if before is not None and _named(entry) == _named(before):
            continue
        path = prefix + name
        if entry.kind != DIRECTORY:
            yield Put(path, entry)
            continue
        yield Put(path, entry._replace(digest=""))
        if before is None or before.kind != DIRECTORY:
            yield from difference(trees, EMPTY, entry.digest, path + "/")
        else:
            yield from difference(trees, before.digest, entry.digest, path + "/")


def additions(trees: Trees, lower: str, upper: str) -> str:
    """The tree of what ``upper`` adds to or changes in ``lower`` (Dagger's ``Directory.diff``)."""
    return apply(trees, EMPTY, (c for c in difference(trees, lower, upper) if isinstance(c, Put)))


def listing_at(trees: Trees, root: str, path: str) -> Listing:
    """The names in the directory at ``path``; NotFound or NotADirectory when there is none."""
    return trees.load(subtree(trees, root, path))
