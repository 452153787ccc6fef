"""A command line parsed as Pulumi's is (Go's pflag).

Flags anywhere, ``--flag=value``, ``-abc``, ``--`` ends them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["bool", "string", "int", "list", "optional"]


class UsageError(Exception):
    """The command line can't be read; ``hint`` is a second line for the user."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. A ``list`` may be given again and again.

    An ``optional`` one stands for ``bare`` without a value.
    """

    name: str
    help: str = ""
    short: str = ""
    kind: Kind = "bool"
    default: Any = None
    bare: str = "true"

    @property
    def initial(self) -> Any:
        """The value when it is not given."""
        return (
            self.default
            if self.default is not None
            else {"bool": False, "list": [], "int": 0}.get(self.kind, "")
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a command line said: flag values by name, which of them were given, and the other words."""

    values: Mapping[str, Any]
    given: frozenset[str]
    words: tuple[str, ...]
    rest: tuple[str, ...] = ()
    """What came after ``--``; also at the end of ``words``."""


@dataclass(slots=True)
class _Parser:
    flags: Sequence[Flag]
    values: dict[str, Any] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    def flag(self, name: str) -> Flag:
        """The flag with that name."""
        found = next((flag for flag in self.flags if flag.name == name), None)
        if found is None:
            raise UsageError(f"unknown flag: --{name}")
        return found

    def shorthand(self, char: str, word: str) -> Flag:
        """The flag with that letter."""
        found = next((flag for flag in self.flags if flag.short == char), None)
        if found is None:
            raise UsageError(f"unknown shorthand flag: '{char}' in {word}")
        return found

    def set(self, flag: Flag, text: str, shown: str) -> None:
        """Give a flag a value."""
        self.given.add(flag.name)
        if flag.kind == "list":
            self.values[flag.name] = [*self.values.get(flag.name, []), text]
        else:
            self.values[flag.name] = _value(flag, text, shown)

    def long(self, word: str, following: list[str]) -> None:
        """Read ``--name`` or ``--name=value``; a value may be the next word."""
        name, equals, text = word[2:].partition("=")
        flag = self.flag(name)
        if equals:
            self.set(flag, text, f"--{name}")
        elif flag.kind in {"bool", "optional"}:
            self.set(flag, flag.bare, f"--{name}")
        elif following:
            self.set(flag, following.pop(0), f"--{name}")
        else:
            raise UsageError(f"flag needs an argument: --{name}")

    def cluster(self, word: str, following: list[str]) -> None:
        """Read ``-abc``, ``-avalue`` or ``-a value``."""
        letters = word[1:]
        while letters:
            flag, letters = self.shorthand(letters[0], word), letters[1:]
            shown = f"-{flag.short}, --{flag.name}"
            if flag.kind in {"bool", "optional"} and not letters.startswith("="):
                self.set(flag, flag.bare, shown)
            elif letters:
                self.set(flag, letters.removeprefix("="), shown)
                return
            elif following:
                self.set(flag, following.pop(0), shown)
                return
            else:
                raise UsageError(f"flag needs an argument: '{flag.short}' in {word}")


_TRUTHS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


def _value(flag: Flag, text: str, shown: str) -> Any:
    if flag.kind == "bool":
        if text.lower() not in _TRUTHS:
            raise UsageError(f'invalid argument "{text}" for "{shown}" flag: it may be true or false')
        return _TRUTHS[text.lower()]
    if flag.kind == "int":
        try:
            return int(text)
        except ValueError:
            raise UsageError(
                f'invalid argument "{text}" for "{shown}" flag: it must be a whole number'
            ) from None
    return text


def parse(words: Sequence[str], flags: Sequence[Flag]) -> Parsed:
    """Read ``words``. Raises UsageError."""
    parser = _Parser(flags)
    left, plain, rest = list(words), [], []
    while left:
        word = left.pop(0)
        if word == "--":
            rest = left
            break
        if word.startswith("--"):
            parser.long(word, left)
        elif word.startswith("-") and len(word) > 1:
            parser.cluster(word, left)
        else:
            plain.append(word)
    values = {flag.name: parser.values.get(flag.name, flag.initial) for flag in flags}
    return Parsed(values, frozenset(parser.given), (*plain, *rest), tuple(rest))


def command_words(words: Sequence[str], flags: Sequence[Flag]) -> list[int]:
    """The places of the words that are neither flags nor flags' values, before any ``--``.

    ``flags`` are those of all commands: one that takes a value in some of them only is taken not to.
    """
    bare = {name for flag in flags if flag.kind in {"bool", "optional"} for name in _spellings(flag)}
    takes = {name for flag in flags for name in _spellings(flag)} - bare
    places = []
    skip = False
    for place, word in enumerate(words):
        if word == "--":
            break
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            skip = word in takes
        else:
            places.append(place)
    return places


def _spellings(flag: Flag) -> tuple[str, ...]:
    return (f"--{flag.name}", f"-{flag.short}") if flag.short else (f"--{flag.name}",)
