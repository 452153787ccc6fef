"""Path patterns as Dagger reads them: Docker's ignore syntax (``*``, ``?``, ``[a-z]``, ``**``, ``!``).

Source of the rules: the Dockerfile reference, ".dockerignore files". A pattern matches a path and all
that lies below it; the last pattern that matches decides.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass


class BadPattern(ValueError):
    """A pattern that can't be read, such as an unclosed ``[``."""


@functools.lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression that matches the paths that ``pattern`` names, and no deeper ones.

    Raises:
        BadPattern: the pattern is malformed.
    """
    out = ["^"]
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if pattern.startswith("**", position):
            position += 2
            if pattern.startswith("/", position):
                position += 1
                out.append("(?:.*/)?")
            else:
                out.append(".*")
            continue
        position += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            end = pattern.find("]", position + 1)
            if end < 0:
                raise BadPattern(f"pattern {pattern!r}: '[' without a closing ']'")
            body = pattern[position:end].replace("\\", "\\\\")
            out.append("[^" + body[1:] + "]" if body.startswith(("^", "!")) else f"[{body}]")
            position = end + 1
        elif char == "\\" and position < len(pattern):
            out.append(re.escape(pattern[position]))
            position += 1
        else:
            out.append(re.escape(char))
    try:
        return re.compile("".join(out) + r"\Z", re.DOTALL)
    except re.error as error:
        raise BadPattern(f"pattern {pattern!r}: {error}") from error


def clean(pattern: str) -> str:
    """A pattern as a path relative to the root: no leading ``/`` or ``./``, no trailing ``/``."""
    cleaned = posixpath.normpath(pattern.strip()).lstrip("/")
    return "" if cleaned == "." else cleaned


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list of patterns, in order; ``!`` in front takes a match back."""

    rules: tuple[tuple[bool, str], ...]

    @classmethod
    def parse(cls, patterns: Sequence[str]) -> Patterns:
        """Read patterns.

        Raises:
            BadPattern: one of them is malformed.
        """
        rules = []
        for text in patterns:
            negated = text.strip().startswith("!")
            pattern = clean(text.strip()[1:] if negated else text)
            if text.strip():
                compile_pattern(pattern)
                rules.append((negated, pattern))
        return cls(tuple(rules))

    def matches(self, path: str) -> bool:
        """Whether the last rule that matches ``path`` or one of its parents is a plain one."""
        matched = False
        parents = path.split("/")
        prefixes = ["/".join(parents[:count]) for count in range(1, len(parents) + 1)]
        for negated, pattern in self.rules:
            if negated != matched:
                continue
            compiled = compile_pattern(pattern)
            if pattern == "" or any(compiled.match(prefix) for prefix in prefixes):
                matched = not negated
        return matched

    def may_match_below(self, path: str) -> bool:
        """Whether something below the directory ``path`` may match, so that it has to be looked into."""
        depth = path.split("/")
        for negated, pattern in self.rules:
            if negated:
                continue
            parts = pattern.split("/")
            for own, theirs in zip(depth, parts, strict=False):
                if "**" in theirs:
                    return True
                if not compile_pattern(theirs).match(own):
                    break
            else:
                return True
        return False

    @property
    def has_exceptions(self) -> bool:
        """Whether a ``!`` pattern may bring something back below an excluded directory."""
        return any(negated for negated, _ in self.rules)


@dataclass(frozen=True, slots=True)
class Selection:
    """What include and exclude patterns leave of a tree; no includes means everything."""

    include: Patterns
    exclude: Patterns

    @classmethod
    def parse(cls, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Selection:
        """Read both lists; BadPattern when one is malformed."""
        return cls(Patterns.parse(include), Patterns.parse(exclude))

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.include.rules and not self.exclude.rules

    def takes(self, path: str) -> bool:
        """Whether a file at ``path`` is selected."""
        if self.include.rules and not self.include.matches(path):
            return False
        return not self.exclude.matches(path)

    def enters(self, path: str) -> bool:
        """Whether the directory at ``path`` can hold something selected."""
        if self.exclude.matches(path) and not self.exclude.has_exceptions:
            return False
        return not self.include.rules or self.include.matches(path) or self.include.may_match_below(path)
