"""The shortest line-by-line difference of two texts (E. Myers, "An O(ND) Difference Algorithm", 1986)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Texts with more differences than this are taken to be different in all of what differs.
_MOST = 2_000
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines ``old`` (start and end) of the first text become lines ``new`` of the second."""

    old: tuple[int, int]
    new: tuple[int, int]


def split(data: bytes) -> list[bytes]:
    """Lines with their newlines; the last may have none."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def edits(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit]:
    """The edits that make ``new`` of ``old``, in order, each as far down as it fits."""
    start, ends = 0, (len(old), len(new))
    while start < min(ends) and old[start] == new[start]:
        start += 1
    while min(ends) > start and old[ends[0] - 1] == new[ends[1] - 1]:
        ends = ends[0] - 1, ends[1] - 1
    pairs = _matching(old[start : ends[0]], new[start : ends[1]])
    at = [start, start]
    found: list[Edit] = []
    for x, y in [*((x + start, y + start) for x, y in pairs), ends]:
        if (x, y) != (at[0], at[1]):
            found.append(Edit((at[0], x), (at[1], y)))
        at = [x + 1, y + 1]
    return _slid(old, new, found)


def _matching(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """The lines that a shortest difference keeps, as positions in both."""
    furthest, trail = {1: 0}, []
    for distance in range(min(len(old) + len(new), _MOST) + 1):
        trail.append(dict(furthest))
        for diagonal in range(-distance, distance + 1, 2):
            down = diagonal == -distance or (
                diagonal != distance and furthest[diagonal - 1] < furthest[diagonal + 1]
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            furthest[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return _back(trail, len(old), len(new))
    return []


def _back(trail: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for distance in range(len(trail) - 1, -1, -1):
        furthest, diagonal = trail[distance], x - y
        down = diagonal == -distance or (
            diagonal != distance and furthest[diagonal - 1] < furthest[diagonal + 1]
        )
        before = diagonal + 1 if down else diagonal - 1
        start_x = furthest[before] if distance else 0
        start_y = start_x - before if distance else 0
        while x > max(start_x, 0) and y > max(start_y, 0):
            x, y = x - 1, y - 1
            kept.append((x, y))
        x, y = start_x, start_y
    return kept[::-1]


def _slid(old: Sequence[bytes], new: Sequence[bytes], found: list[Edit]) -> list[Edit]:
    """Pure insertions and deletions moved down past lines that look the same."""
    done: list[Edit] = []
    for position in range(len(found) - 1, -1, -1):
        (a, b), (c, d) = found[position].old, found[position].new
        until = done[-1] if done else Edit((len(old), len(old)), (len(new), len(new)))
        while (a == b or c == d) and b < until.old[0] and d < until.new[0]:
            lines, first, past = (new, c, d) if a == b else (old, a, b)
            if lines[first] != lines[past]:
                break
            a, b, c, d = a + 1, b + 1, c + 1, d + 1
        done.append(Edit((a, b), (c, d)))
    return done[::-1]


def hunks(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[bytes]:
    """The difference as hunks of a unified diff with three lines of context."""
    groups: list[list[Edit]] = []
    for edit in edits(old, new):
        if groups and edit.old[0] - groups[-1][-1].old[1] <= 2 * _CONTEXT:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    for group in groups:
        yield _hunk(old, new, group)


def _hunk(old: Sequence[bytes], new: Sequence[bytes], group: list[Edit]) -> bytes:
    start = max(group[0].old[0] - _CONTEXT, 0)
    end = min(group[-1].old[1] + _CONTEXT, len(old))
    before = group[0].old[0] - start
    sides = (start, end - start), (group[0].new[0] - before, group[-1].new[1] + end - group[-1].old[1])
    added = sides[1][1] - sides[1][0]
    out = [b"@@ -%b +%b @@\n" % (_range(start, end - start), _range(sides[1][0], added))]
    at = start
    for edit in group:
        out += [_line(b" ", each) for each in old[at : edit.old[0]]]
        out += [_line(b"-", each) for each in old[slice(*edit.old)]]
        out += [_line(b"+", each) for each in new[slice(*edit.new)]]
        at = edit.old[1]
    out += [_line(b" ", each) for each in old[at:end]]
    return b"".join(out)


def _range(start: int, count: int) -> bytes:
    first = start + 1 if count else start
    return b"%d" % first if count == 1 else b"%d,%d" % (first, count)


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + (line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")
