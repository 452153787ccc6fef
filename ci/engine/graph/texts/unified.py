"""Unified diffs in git's format: read, and applied as strictly as ``git apply`` does.

Source: git's documentation, "Generating patch text with -p" and "git apply": lines of context may have
moved, but not changed; a hunk without context above (below) it belongs to the file's beginning (end).
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from ci.engine.errors import EngineError
from ci.engine.graph.texts import linediff

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_MODE = re.compile(rb"(?:new file mode|new mode) (\d{6})")
_MOVED = re.compile(rb"(rename|copy) (from|to) (.+)")
_QUOTED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b'"': b'"', b"\\": b"\\", b"a": b"\a", b"b": b"\b"}


class PatchError(EngineError):
    """A patch that can't be read or does not fit."""

    def __init__(self, message: str, status: int = 128) -> None:
        super().__init__(f"git apply: exit status {status}: {message}")


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place: the lines it had and the lines it gets; ``start`` is where those are, 1 the first."""

    start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    first: bool
    last: bool


@dataclass(slots=True)
class FilePatch:
    """What becomes of one file. A missing ``old`` (``new``) path: it is created (deleted)."""

    old: str | None
    new: str | None
    mode: int | None = None
    copied: bool = False
    hunks: list[Hunk] = field(default_factory=list)
    literal: bytes | None = None


class _Lines:
    """A patch's lines, with one that is looked at but not yet taken."""

    def __init__(self, patch: bytes) -> None:
        self._lines = patch.removesuffix(b"\n").split(b"\n") if patch else []
        self.at = 0

    @property
    def next(self) -> bytes | None:
        """The line to come; None at the end."""
        return self._lines[self.at] if self.at < len(self._lines) else None

    def take(self) -> bytes:
        """The line to come, which is then done with."""
        line = self._lines[self.at]
        self.at += 1
        return line


def parse(patch: bytes) -> list[FilePatch]:
    """Read a patch of one or more files.

    Raises:
        PatchError: it is malformed, or holds a binary delta.
    """
    lines = _Lines(patch)
    found: list[FilePatch] = []
    while (line := lines.next) is not None:
        if line.startswith(b"diff --git "):
            found.append(_git(lines))
        elif line.startswith(b"--- "):
            change = FilePatch(None, None)
            _names(lines, change)
            change.hunks = list(_hunks(lines))
            found.append(change)
        else:
            lines.take()
    return found


def _git(lines: _Lines) -> FilePatch:
    both = lines.take().removeprefix(b"diff --git ")
    same = _same_name(both)
    change = FilePatch(same, same)
    while (line := lines.next) is not None and not line.startswith(b"diff --git "):
        if line.startswith(b"--- "):
            _names(lines, change)
            change.hunks = list(_hunks(lines))
            break
        lines.take()
        if mode := _MODE.match(line):
            change.mode = int(mode[1], 8)
        if line.startswith(b"new file mode"):
            change.old = None
        elif line.startswith(b"deleted file mode"):
            change.new = None
        elif moved := _MOVED.match(line):
            change.copied = moved[1] == b"copy"
            name = _decoded(_unquoted(moved[3]))
            change.old, change.new = (name, change.new) if moved[2] == b"from" else (change.old, name)
        elif line == b"GIT binary patch":
            change.literal = _literal(lines)
    return change


def _same_name(both: bytes) -> str | None:
    """The name in ``a/name b/name``, where both are the same."""
    if both.startswith(b'"'):
        return _stripped(both.split(b'" ')[0] + b'"')
    half = len(both) // 2
    first, second = both[:half], both[half + 1 :]
    return _stripped(first) if first.partition(b"/")[2] == second.partition(b"/")[2] else None


def _unquoted(name: bytes) -> bytes:
    if not name.startswith(b'"'):
        return name.partition(b"\t")[0]

    def plain(match: re.Match[bytes]) -> bytes:
        return bytes([int(match[1], 8)]) if len(match[1]) == 3 else _ESCAPES.get(match[1], match[1])

    return _QUOTED.sub(plain, name[1 : name.rindex(b'"')])


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _stripped(name: bytes) -> str | None:
    """A name as patches have it, without its first part (``-p1``); None for /dev/null."""
    plain = _unquoted(name)
    if plain == b"/dev/null":
        return None
    path = _decoded(plain.partition(b"/")[2] or plain)
    if path.startswith("/") or ".." in path.split("/"):
        raise PatchError(f"invalid path '{path}'")
    return path


def _names(lines: _Lines, change: FilePatch) -> None:
    change.old = _stripped(lines.take().removeprefix(b"--- "))
    line = lines.next
    if line is None or not line.startswith(b"+++ "):
        raise PatchError(f"corrupt patch at line {lines.at + 1}: no +++ line")
    change.new = _stripped(lines.take().removeprefix(b"+++ "))


def _hunks(lines: _Lines) -> Iterator[Hunk]:
    while (line := lines.next) is not None and (header := _HUNK.match(line)):
        lines.take()
        counts = [int(header[2] or 1), int(header[4] or 1)]
        sides: tuple[list[bytes], list[bytes]] = ([], [])
        marks = b""
        while len(sides[0]) < counts[0] or len(sides[1]) < counts[1]:
            line = lines.next
            mark = b"" if line is None else line[:1] or b" "
            if line is None or mark not in {b" ", b"-", b"+", b"\\"}:
                raise PatchError(f"corrupt patch at line {lines.at + 1}")
            lines.take()
            if mark == b"\\":
                _unterminated(sides, marks[-1:])
                continue
            marks += mark
            for side, absent in zip(sides, (b"+", b"-"), strict=True):
                if mark != absent:
                    side.append(line[1:] + b"\n")
        if (lines.next or b"").startswith(b"\\"):
            lines.take()
            _unterminated(sides, marks[-1:])
        first = int(header[1]) <= 1
        yield Hunk(int(header[3]), tuple(sides[0]), tuple(sides[1]), first, not marks.endswith(b" "))


def _unterminated(sides: tuple[list[bytes], list[bytes]], mark: bytes) -> None:
    for side, absent in zip(sides, (b"+", b"-"), strict=True):
        if mark != absent and side:
            side[-1] = side[-1].removesuffix(b"\n")


def _literal(lines: _Lines) -> bytes:
    kind, _, size = lines.take().partition(b" ")
    if kind != b"literal":
        raise PatchError("binary deltas are not served by the embedded engine; make the patch anew")
    packed = b""
    while (line := lines.next) and not line.startswith(b"diff "):
        lines.take()
        letter = line[0]
        length = letter - 64 if letter < 97 else letter - 70
        packed += base64.b85decode(line[1:])[:length]
    try:
        data = zlib.decompress(packed)
    except zlib.error as error:
        raise PatchError(f"corrupt binary patch: {error}") from error
    if len(data) != int(size):
        raise PatchError("corrupt binary patch: its size is another")
    return data


def applied(content: bytes, change: FilePatch) -> bytes:
    """A file's bytes once a patch is applied.

    Raises:
        PatchError: the patch does not fit.
    """
    if change.literal is not None:
        return change.literal
    lines = linediff.split(content)
    for hunk in change.hunks:
        at = _position(lines, hunk)
        if at is None:
            name = change.old or change.new
            raise PatchError(f"patch failed: {name}:{hunk.start}: {name}: patch does not apply", 1)
        lines[at : at + len(hunk.old)] = hunk.new
    return b"".join(lines)


def _position(lines: list[bytes], hunk: Hunk) -> int | None:
    """Where a hunk's lines are: at its own place, or the nearest other."""
    count, wanted = len(hunk.old), list(hunk.old)
    spots = range(len(lines) - count + 1)
    if hunk.first:
        spots = spots[:1]
    if hunk.last:
        spots = range(len(lines) - count, len(lines) - count + 1) if len(lines) - count in spots else range(0)
    expected = max(hunk.start - 1, 0)
    ordered = sorted(spots, key=lambda spot: (abs(spot - expected), spot > expected))
    return next((spot for spot in ordered if lines[spot : spot + count] == wanted), None)
