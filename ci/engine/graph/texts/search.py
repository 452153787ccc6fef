"""Searching files' bytes line by line, the way ripgrep does (ripgrep's guide, and its ``--json`` format)."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import Digested


@dataclass(frozen=True)
class Query:
    """What to look for, and how."""

    pattern: str
    literal: bool = False
    multiline: bool = False
    dotall: bool = False
    insensitive: bool = False

    def compiled(self) -> re.Pattern[bytes]:
        """The pattern as a regular expression on bytes.

        Raises:
            EngineError: it is malformed, or would match across lines without ``multiline``.
        """
        text = re.escape(self.pattern) if self.literal else _translated(self.pattern)
        if not self.multiline and ("\n" in self.pattern or (not self.literal and r"\n" in self.pattern)):
            raise EngineError(
                'ripgrep error: the literal "\\n" is not allowed in a regex; '
                "enable multiline to match across lines"
            )
        flags = re.MULTILINE
        flags |= re.IGNORECASE if self.insensitive else 0
        flags |= re.DOTALL if self.dotall and self.multiline else 0
        try:
            return re.compile(text.encode("utf-8", "surrogateescape"), flags)
        except re.error as error:
            raise EngineError(f"ripgrep error: regex parse error: {self.pattern}: {error}") from error


#: Classes and escapes of Rust's regular expressions that Python writes otherwise.
_CLASSES = {
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:blank:]": r"\t ",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:space:]": r"\t\n\v\f\r ",
    "[:upper:]": "A-Z",
    "[:word:]": "0-9A-Za-z_",
    "[:xdigit:]": "0-9A-Fa-f",
}
_NAMED = re.compile("|".join(re.escape(name) for name in _CLASSES))
_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")


def _translated(pattern: str) -> str:
    """A regular expression in Rust's syntax in Python's."""
    named = _NAMED.sub(lambda match: _CLASSES[match[0]], pattern)
    return _GROUP.sub("(?P<", named).replace(r"\z", r"\Z")


@dataclass(frozen=True)
class Submatch(Digested):
    """One match: its text, and where it is within the matched lines, in bytes."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Hit(Digested):
    """The lines of one or more matches. Numbers count from 1, offsets are bytes from the file's start."""

    line_number: int
    absolute_offset: int
    matched_lines: str
    submatches: tuple[Submatch, ...] = ()
    file_path: str = ""


def search(data: bytes, query: Query) -> list[Hit]:
    """The lines of ``data`` that match, in order; none in a file with a zero byte, which is binary.

    Raises:
        EngineError: the pattern is malformed.
    """
    expression = query.compiled()
    if b"\0" in data or not data:
        return []
    lines = re.findall(rb"[^\n]*\n|[^\n]+", data)
    groups = _across(data, expression) if query.multiline else _within(lines, expression)
    starts = list(itertools.accumulate((len(line) for line in lines), initial=0))
    hits = []
    for matches in groups:
        first = bisect.bisect_right(starts, matches[0][0]) - 1
        end = max(matches[-1][1] - 1, matches[-1][0])
        offset, until = starts[first], starts[bisect.bisect_right(starts, end)]
        with contextlib.suppress(UnicodeDecodeError):
            found = tuple(Submatch(data[s:e].decode(), s - offset, e - offset) for s, e in matches)
            hits.append(Hit(first + 1, offset, data[offset:until].decode(), found))
    return hits


_Spans = list[tuple[int, int]]


def _within(lines: list[bytes], expression: re.Pattern[bytes]) -> Iterator[_Spans]:
    """Where lines match, line by line."""
    offset = 0
    for line in lines:
        spans = [match.span() for match in expression.finditer(line.removesuffix(b"\n"))]
        if spans:
            yield [(offset + start, offset + end) for start, end in spans]
        offset += len(line)


def _across(data: bytes, expression: re.Pattern[bytes]) -> Iterator[_Spans]:
    """Where the whole matches; matches that share a line are together."""
    group: _Spans = []
    for match in expression.finditer(data):
        start, end = match.span()
        if start == len(data):
            break
        if group and b"\n" in data[max(group[-1][1] - 1, group[-1][0]) : start]:
            yield group
            group = []
        group.append((start, end))
    if group:
        yield group
