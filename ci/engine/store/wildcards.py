"""Wildcard patterns as predicates on paths, in the two dialects that Dagger's API has.

``matcher`` is that of include and exclude lists and of ``glob``: Docker's ignore patterns (Dockerfile
reference, ".dockerignore files", with what its implementation does beyond that). ``glob`` is the plain
one of Go's ``path.Match``, which ``.gitignore`` rules and ``withoutFile`` are made of.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

Matcher = Callable[[str], object]


class BadPattern(ValueError):
    """A pattern that can't be read, such as an unclosed ``[``."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"syntax error in pattern: {pattern!r}")


def _escaped(pattern: str, at: int, whole: str) -> tuple[str, int]:
    """One literal character of a class, and where what follows it begins."""
    if at < len(pattern) and pattern[at] == "\\":
        at += 1
    elif pattern[at : at + 1] in {"-", "]"}:
        raise BadPattern(whole)
    if at >= len(pattern):
        raise BadPattern(whole)
    return pattern[at], at + 1


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The class that begins behind a ``[``, as a regular expression, and where what follows it begins."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _escaped(pattern, at, pattern)
        high = low
        if pattern.startswith("-", at):
            high, at = _escaped(pattern, at + 1, pattern)
        if low <= high:  # an empty range matches nothing
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            ranges.append("")
    body = "".join(ranges)
    if not body:
        return ("." if negated else "(?!)"), at + 1
    return f"[{'^' if negated else ''}{body}]", at + 1


def _token(pattern: str, at: int) -> tuple[str, int]:
    """What a pattern has at a position, other than ``**``, as a regular expression."""
    match pattern[at]:
        case "*":
            return "[^/]*", at + 1
        case "?":
            return "[^/]", at + 1
        case "[":
            return _class(pattern, at + 1)
        case "\\":
            if at + 1 == len(pattern):
                raise BadPattern(pattern)
            return re.escape(pattern[at + 1]), at + 2
        case char:
            return re.escape(char), at + 1


def _compiled(pieces: list[str]) -> re.Pattern[str]:
    return re.compile("".join(pieces) + r"\Z", re.DOTALL)


@functools.lru_cache(maxsize=4096)
def glob(pattern: str) -> Matcher:
    """A predicate for what ``pattern`` matches, where ``**`` means no more than ``*``.

    Raises:
        BadPattern: the pattern is malformed.
    """
    pieces, at = [], 0
    while at < len(pattern):
        piece, at = _token(pattern, at)
        pieces.append(piece)
    return _compiled(pieces).match


@functools.lru_cache(maxsize=4096)
def matcher(pattern: str) -> Matcher:
    """A predicate for the paths that ``pattern`` names, and none below them.

    ``**`` stands for any number of whole directories, at the end for everything. A pattern that begins
    with ``**`` and has no other wildcard is a suffix, whole name or not: ``**foo`` matches ``barfoo``.

    Raises:
        BadPattern: the pattern is malformed.
    """
    if pattern.startswith("**") and not set(pattern[2:]) & set("*?[]\\"):
        suffix = pattern[2:]
        return lambda path: path.endswith(suffix) or (suffix[:1] == "/" and path == suffix[1:])
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        if not pattern.startswith("**", at):
            piece, at = _token(pattern, at)
            pieces.append(piece)
            continue
        at += 3 if pattern.startswith("/", at + 2) else 2
        pieces.append("(?:.*/)?" if at < len(pattern) else ".*")
    return _compiled(pieces).match
