"""Include and exclude lists as Dagger reads them: what they leave of a tree, and where it may be.

Source of the rules: the Dockerfile reference, ".dockerignore files". A pattern matches a path and all
that lies below it; ``!`` in front takes a match back; the last pattern that matches decides.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from ci.engine.store.wildcards import BadPattern, glob, matcher

__all__ = ["BadPattern", "Patterns", "Selection", "State", "clean"]

#: Which patterns of a list matched a directory or one above it.
Matched = tuple[bool, ...]


def clean(pattern: str) -> str:
    """A pattern without surrounding blanks, ``./``, doubled or trailing slashes."""
    cleaned = posixpath.normpath(pattern.strip())
    return cleaned[1:] if cleaned.startswith("//") else cleaned


class NoPattern(BadPattern):
    """An exclamation mark with nothing behind it."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.args = (f'illegal exclusion pattern: "{pattern}"',)


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list of patterns, in order: whether each is an exception (``!``), and its text."""

    rules: tuple[tuple[bool, str], ...]

    @classmethod
    def parse(cls, patterns: Sequence[str]) -> Patterns:
        """Read patterns; blank ones are left out.

        Raises:
            BadPattern: one of them is malformed.
        """
        rules = []
        for text in patterns:
            if not text.strip():
                continue
            pattern = clean(text)
            negated = pattern.startswith("!")
            if pattern == "!":
                raise NoPattern(pattern)
            pattern = pattern[negated:]
            glob(pattern)  # refuses what Docker refuses, even where ``**`` would let it pass
            matcher(pattern)
            rules.append((negated, pattern))
        return cls(tuple(rules))

    def step(self, path: str, above: Matched) -> tuple[bool, Matched]:
        """Whether the list matches ``path``, given which patterns matched the directory that holds it."""
        matched = False
        own = []
        for position, (negated, pattern) in enumerate(self.rules):
            hit = bool(above) and above[position]
            if not hit and negated == matched:
                hit = bool(matcher(pattern)(path))
            own.append(hit)
            if hit:
                matched = not negated
        return matched, tuple(own)

    def matches(self, path: str) -> bool:
        """Whether the list matches ``path``: its last pattern that matches it or a parent is a plain one."""
        above: Matched = ()
        names = path.split("/")
        for count in range(1, len(names)):
            _, above = self.step("/".join(names[:count]), above)
        return self.step(path, above)[0]

    def may_match_below(self, path: str, *, negated: bool = False) -> bool:
        """Whether a plain pattern (or an exception) may match something below a directory, yet not itself."""
        return any(_may_match_below(text, path) for exception, text in self.rules if exception == negated)


_NOTHING = Patterns(((True, "**"),))


def _may_match_below(pattern: str, path: str) -> bool:
    own, theirs = path.split("/"), pattern.split("/")
    # Up to a part with ** or a class, which may reach over slashes, each part is one name.
    plain = list(takewhile(lambda part: "**" not in part and "[" not in part, theirs))
    if len(plain) == len(theirs) <= len(own):
        return False
    return all(matcher(part)(name) for name, part in zip(own, plain, strict=False))


#: Which include and which exclude patterns matched a directory or one above it.
State = tuple[Matched, Matched]


@dataclass(frozen=True, slots=True)
class Selection:
    """What include and exclude patterns leave of a tree; no includes means everything."""

    include: Patterns
    exclude: Patterns

    @classmethod
    def parse(cls, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Selection:
        """Read both lists; BadPattern when one is malformed."""
        chosen = Patterns.parse(include)
        if include and not chosen.rules:  # blank patterns alone: nothing was chosen
            chosen = _NOTHING
        return cls(chosen, Patterns.parse(exclude))

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.include.rules and not self.exclude.rules

    def step(self, path: str, above: State) -> tuple[bool, State]:
        """Whether ``path`` itself is selected, and the state for what lies below it."""
        included, includes = self.include.step(path, above[0]) if self.include.rules else (True, ())
        excluded, excludes = self.exclude.step(path, above[1]) if self.exclude.rules else (False, ())
        return included and not excluded, (includes, excludes)

    def may_take_below(self, path: str, state: State) -> bool:
        """Whether something below the directory at ``path`` may be selected: it must be looked into."""
        includes, excludes = state
        if _decision(self.exclude, excludes) and not self.exclude.may_match_below(path, negated=True):
            return False
        return not self.include.rules or any(includes) or self.include.may_match_below(path)

    def takes_all_below(self, path: str) -> bool:
        """Whether everything below the directory at ``path``, itself selected, is selected too."""
        included = not self.include.rules or not self.include.may_match_below(path, negated=True)
        return included and not self.exclude.may_match_below(path)


def _decision(patterns: Patterns, matched: Matched) -> bool:
    hits = [negated for (negated, _), hit in zip(patterns.rules, matched, strict=False) if hit]
    return bool(hits) and not hits[-1]
