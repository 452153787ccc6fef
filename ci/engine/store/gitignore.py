"""Which paths .gitignore files leave out, nested ones included (git's documentation, "gitignore").

As in Dagger's engine, and unlike git, an exception (``!``) may bring back what lies in a directory that
is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ci.engine.store.wildcards import BadPattern, glob


@dataclass(frozen=True, slots=True)
class _Rule:
    depth: int  # how many names lead to the folder of the file that the rule is from
    names: tuple[str, ...]
    negated: bool
    directories: bool
    anchored: bool

    def matches(self, path: Sequence[str], *, is_directory: bool) -> bool:
        """Whether the rule says something of a path, given by its names from the top."""
        inner = path[self.depth :]
        left = self._anchored(inner) if self.anchored else self._anywhere(inner)
        return left is not None and (left > 0 or is_directory or not self.directories)

    def _anywhere(self, inner: Sequence[str]) -> int | None:
        """How many names lie below the first that the rule matches; None when it matches none."""
        for below, name in zip(range(len(inner) - 1, -1, -1), inner, strict=True):
            if glob(self.names[0])(name):
                return below
        return None

    def _anchored(self, inner: Sequence[str]) -> int | None:
        """How many names lie below what the rule matches from its file's folder on; None when it does not."""
        at, matched, anywhere = 0, False, False
        for position, name in enumerate(self.names):
            last = position == len(self.names) - 1
            if name == "**" and last:
                break
            if name in {"", "**"}:
                anywhere = name == "**"
                continue
            if "**" in name or at == len(inner):
                return None
            matched = bool(glob(name)(inner[at]))
            at += 1
            while anywhere and not matched and at < len(inner):
                matched = bool(glob(name)(inner[at]))
                at += 1
            if not matched and not anywhere:
                return None
            anywhere = False
            matched = matched and (at < len(inner) or last)
        return len(inner) - at if matched else None


def _rule(line: str, depth: int) -> _Rule | None:
    negated = line.startswith("!")
    pattern = line[negated:]
    directories = pattern.endswith("/")
    names = tuple(pattern[: len(pattern) - directories].split("/"))
    try:
        for name in names:
            glob(name)
    except BadPattern:
        return None
    return _Rule(depth, names, negated, directories, len(names) > 1)


@dataclass(frozen=True, slots=True)
class Ignores:
    """The rules in force in a folder, the nearest file's last; the last one that matches decides."""

    rules: tuple[_Rule, ...] = ()

    def adding(self, text: str, depth: int) -> Ignores:
        """With the rules of a .gitignore file that lies ``depth`` folders below the top."""
        lines = (line.strip() for line in text.split("\n"))
        rules = (_rule(line, depth) for line in lines if line and not line.startswith("#"))
        return Ignores((*self.rules, *(rule for rule in rules if rule is not None)))

    def ignored(self, path: Sequence[str], *, is_directory: bool) -> bool:
        """Whether a path (its names, from the top) is left out."""
        for rule in reversed(self.rules):
            if rule.matches(path, is_directory=is_directory):
                return not rule.negated
        return False
