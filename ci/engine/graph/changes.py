"""What differs between two directories, seen as git sees it: paths, line counts, renames, a patch."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.texts import linediff
from ci.engine.store.tree import DIRECTORY, EMPTY, SYMLINK, Entry, Trees

if TYPE_CHECKING:
    from ci.engine.store.store import Store

#: Git takes a file for binary when one of its first bytes, this many, is zero.
_SNIFFED = 8000
_WIDTH = 52
#: Two files that share this part of their bytes are one that was renamed.
_LIKE = 0.5


@dataclass(frozen=True, slots=True)
class Changed:
    """Paths that differ, sorted; directories end in "/". ``removed`` has nothing below what it names."""

    added: tuple[str, ...]
    modified: tuple[str, ...]
    removed: tuple[str, ...]
    all_removed: tuple[str, ...]


@dataclass(frozen=True)
class DiffStat(Digested):
    """How one path differs, and by how many lines; ``old_path`` is where a renamed file was."""

    path: str
    kind: str
    added_lines: int = 0
    removed_lines: int = 0
    old_path: str | None = None


def git_mode(entry: Entry) -> int:
    """The mode that git tracks: a link, executable or not."""
    if entry.kind == SYMLINK:
        return 0o120000
    return 0o100755 if entry.mode & 0o111 else 0o100644


def differs(old: Entry, new: Entry) -> bool:
    """Whether git sees two entries of one path as different."""
    return (git_mode(old), old.kind, old.digest) != (git_mode(new), new.kind, new.digest)


_Sides = tuple[str, Entry | None, Entry | None]


def _pairs(trees: Trees, old: str, new: str, prefix: str = "") -> Iterator[_Sides]:
    """Each path that is on one side only or differs, with what it is on both."""
    if old == new:
        return
    before, after = trees.load(old), trees.load(new)
    for name in sorted(before.keys() | after.keys()):
        path, one, other = prefix + name, before.get(name), after.get(name)
        if one is not None and other is not None and one.kind != DIRECTORY != other.kind:
            if differs(one, other):
                yield path, one, other
            continue
        one_inside = one.digest if one is not None and one.kind == DIRECTORY else None
        other_inside = other.digest if other is not None and other.kind == DIRECTORY else None
        if one_inside is None or other_inside is None:
            yield path, one, None
            yield path, None, other
        yield from _pairs(trees, one_inside or EMPTY, other_inside or EMPTY, path + "/")


def listed(trees: Trees, old: str, new: str) -> Iterator[_Sides]:
    """Each path that differs between two trees, with what it is in both (None: nothing)."""
    return (sides for sides in _pairs(trees, old, new) if sides[1] is not None or sides[2] is not None)


def _shown(path: str, entry: Entry) -> str:
    return path + "/" if entry.kind == DIRECTORY else path


def changed_paths(trees: Trees, old: str, new: str) -> Changed:
    """The paths that differ between two trees."""
    added, modified, removed = [], [], []
    for path, before, after in listed(trees, old, new):
        if before is not None and after is not None:
            modified.append(path)
        elif before is not None:
            removed.append(_shown(path, before))
        elif after is not None:
            added.append(_shown(path, after))
    folders = tuple(path for path in removed if path.endswith("/"))
    outermost = [path for path in removed if not any(path != f and path.startswith(f) for f in folders)]
    return Changed(*(tuple(sorted(paths)) for paths in (added, modified, outermost, removed)))


def _bytes(store: Store, entry: Entry | None) -> bytes:
    if entry is None or entry.kind == DIRECTORY:
        return b""
    if entry.kind == SYMLINK:
        return entry.digest.encode("utf-8", "surrogateescape")
    return store.read(entry.digest)


def _counts(old: bytes, new: bytes) -> tuple[int, int]:
    """Lines added and removed; none of a binary file."""
    if b"\0" in old[:_SNIFFED] or b"\0" in new[:_SNIFFED]:
        return 0, 0
    found = linediff.edits(linediff.split(old), linediff.split(new))
    return sum(e.new[1] - e.new[0] for e in found), sum(e.old[1] - e.old[0] for e in found)


def diff_stats(store: Store, old: str, new: str) -> list[DiffStat]:
    """How each path differs between two trees, by path. Blocking."""
    sides = list(listed(store.trees, old, new))
    gone = {path: before for path, before, after in sides if before is not None and after is None}
    come = {path: after for path, before, after in sides if after is not None and before is None}
    renames = _renames(store, gone, come)
    moved = set(renames.values())
    stats = []
    for path, before, after in sides:
        if before is not None and after is not None:
            stats.append(DiffStat(path, "MODIFIED", *_counts(_bytes(store, before), _bytes(store, after))))
        elif before is not None and path not in moved:
            stats.append(DiffStat(_shown(path, before), "REMOVED", *_counts(_bytes(store, before), b"")))
        elif after is not None and path in renames:
            old_path = renames[path]
            counts = _counts(_bytes(store, gone[old_path]), _bytes(store, after))
            stats.append(DiffStat(path, "RENAMED", *counts, old_path))
        elif after is not None:
            stats.append(DiffStat(_shown(path, after), "ADDED", *_counts(b"", _bytes(store, after))))
    return sorted(stats, key=lambda each: each.path)


def _chunks(data: bytes) -> Counter[bytes]:
    """How many bytes of a text each of its lines (or 64 bytes of it) stands for."""
    counter: Counter[bytes] = Counter()
    for line in linediff.split(data):
        for start in range(0, len(line), 64):
            chunk = line[start : start + 64]
            counter[chunk] += len(chunk)
    return counter


def _renames(store: Store, gone: dict[str, Entry], come: dict[str, Entry]) -> dict[str, str]:
    """Files that were renamed, new path to old: the same, or alike by half of their bytes."""
    found: dict[str, str] = {}
    for _, _, path, old_path in sorted(_alike(store, gone, come)):
        if path not in found and old_path not in found.values():
            found[path] = old_path
    return found


def _alike(
    store: Store, gone: dict[str, Entry], come: dict[str, Entry]
) -> Iterator[tuple[float, bool, str, str]]:
    """Pairs of files that may be one, the best to be sorted first: (-likeness, other name, new, old)."""
    was = {path: _chunks(_bytes(store, entry)) for path, entry in gone.items() if entry.size and come}
    for path, entry in come.items():
        mine = _chunks(_bytes(store, entry)) if was else Counter()
        for old_path, theirs in was.items():
            larger = max(mine.total(), theirs.total())
            likeness = (mine & theirs).total() / larger
            if gone[old_path].kind == entry.kind and likeness >= _LIKE:
                yield -likeness, posixpath.basename(path) != posixpath.basename(old_path), path, old_path


def patch_text(store: Store, old: str, new: str) -> bytes:
    """The patch, as ``git diff --no-index --binary`` writes it, that makes ``new`` of ``old``. Blocking."""
    files = [
        (path, before, after)
        for path, before, after in listed(store.trees, old, new)
        if any(entry is not None and entry.kind != DIRECTORY for entry in (before, after))
    ]
    return b"".join(_file_patch(store, *each) for each in sorted(files, key=lambda each: each[0]))


def _file_patch(store: Store, path: str, old: Entry | None, new: Entry | None) -> bytes:
    before, after = _bytes(store, old), _bytes(store, new)
    a, b = (_quoted(side + path.encode("utf-8", "surrogateescape")) for side in (b"a/", b"b/"))
    out = [b"diff --git %b %b\n" % (b if old is None else a, a if new is None else b), _modes(old, new)]
    if before != after or old is None or new is None:
        binary = b"\0" in before[:_SNIFFED] or b"\0" in after[:_SNIFFED]
        shown = 40 if binary else 7
        mode = b" %o" % git_mode(old) if old and new and git_mode(old) == git_mode(new) else b""
        out.append(b"index %b..%b%b\n" % (_blob(old, before)[:shown], _blob(new, after)[:shown], mode))
        if binary:
            out += [b"GIT binary patch\n", _literal(after), b"\n", _literal(before), b"\n"]
        elif before != after:
            out += [b"--- %b\n" % (_header(a) if old else b"/dev/null")]
            out += [b"+++ %b\n" % (_header(b) if new else b"/dev/null")]
            out += linediff.hunks(linediff.split(before), linediff.split(after))
    return b"".join(out)


def _modes(old: Entry | None, new: Entry | None) -> bytes:
    """The lines that say that a file is new or gone, or that its mode changed."""
    if old is None:
        return b"" if new is None else b"new file mode %o\n" % git_mode(new)
    if new is None:
        return b"deleted file mode %o\n" % git_mode(old)
    modes = git_mode(old), git_mode(new)
    return b"" if modes[0] == modes[1] else b"old mode %o\nnew mode %o\n" % modes


def _header(name: bytes) -> bytes:
    """A name in a header: a tab behind one with a blank tells where it ends."""
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


def _blob(entry: Entry | None, data: bytes) -> bytes:
    """The id that git gives a file's bytes, in hex."""
    if entry is None:
        return b"0" * 40
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest().encode()


def _quoted(name: bytes) -> bytes:
    if all(32 <= char < 127 and char not in b'"\\' for char in name):
        return name
    escapes = {ord('"'): b'\\"', ord("\\"): b"\\\\", ord("\n"): b"\\n", ord("\t"): b"\\t", ord("\r"): b"\\r"}
    return (
        b'"'
        + b"".join(
            escapes.get(char, bytes([char]) if 32 <= char < 127 else b"\\%03o" % char) for char in name
        )
        + b'"'
    )


def _literal(data: bytes) -> bytes:
    packed = zlib.compress(data)
    out = [b"literal %d\n" % len(data)]
    for start in range(0, len(packed), _WIDTH):
        line = packed[start : start + _WIDTH]
        letter = len(line) + (64 if len(line) <= 26 else 70)
        out.append(bytes([letter]) + base64.b85encode(line, pad=True) + b"\n")
    return b"".join(out)
