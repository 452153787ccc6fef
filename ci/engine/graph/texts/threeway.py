"""Three-way merge of text: two changes of one text, line by line, as git's own merge has it.

Method: lines that all three share synchronize them; in between, a side that did not change gives way to the
one that did (S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3", 2007).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Lines = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of the text: settled when ``theirs`` is None, else two versions that conflict."""

    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...] | None = None


def merged(base: bytes, ours: bytes, theirs: bytes) -> list[Chunk]:
    """The stretches of the merged text, in order."""
    return list(_chunks(*(text.splitlines(keepends=True) for text in (base, ours, theirs))))


def _chunks(base: Lines, ours: Lines, theirs: Lines) -> Iterator[Chunk]:
    at = (0, 0, 0)
    for place, one, other, size in _shared(base, ours, theirs):
        old, mine, his = base[at[0] : place], ours[at[1] : one], theirs[at[2] : other]
        if old or mine or his:
            yield _settled(old, mine, his)
        if size:
            yield Chunk(tuple(base[place : place + size]))
        at = (place + size, one + size, other + size)


def _settled(old: Lines, mine: Lines, his: Lines) -> Chunk:
    if his in (mine, old):
        return Chunk(tuple(mine))
    return Chunk(tuple(his)) if mine == old else Chunk(tuple(mine), tuple(his))


def _shared(base: Lines, ours: Lines, theirs: Lines) -> Iterator[tuple[int, int, int, int]]:
    """Stretches that are in all three: where they begin in each, and their length; the end has length 0."""
    one = difflib.SequenceMatcher(None, base, ours, autojunk=False).get_matching_blocks()
    other = difflib.SequenceMatcher(None, base, theirs, autojunk=False).get_matching_blocks()
    i = j = 0
    while i < len(one) and j < len(other):
        begin = max(one[i].a, other[j].a)
        end = min(one[i].a + one[i].size, other[j].a + other[j].size)
        if begin < end:
            yield begin, one[i].b + begin - one[i].a, other[j].b + begin - other[j].a, end - begin
        if one[i].a + one[i].size < other[j].a + other[j].size:
            i += 1
        else:
            j += 1
    yield len(base), len(ours), len(theirs), 0
