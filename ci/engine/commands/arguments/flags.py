"""Flags, and reading them from a command line by the conventions of Go's pflag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci.engine.commands.arguments.kinds import TEXT, Kind
from ci.engine.commands.arguments.quoting import quoted


class FlagError(Exception):
    """What was typed is not what the flags allow."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag; ``default`` is what help tells of, None for nothing."""

    name: str
    kind: Kind = TEXT
    usage: str = ""
    short: str = ""
    default: Any = None
    absent: str | None = None
    hidden: bool = False
    required: bool = False

    @property
    def alone(self) -> str | None:
        """The value that it has when it is given without one; None where it needs one."""
        return self.absent if self.absent is not None else self.kind.absent

    @property
    def title(self) -> str:
        """As messages name it."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags that a command knows; those that come first hide later ones of the same name."""

    flags: tuple[Flag, ...]
    normal: Callable[[str], str] = str
    _named: Mapping[str, Flag] = field(init=False, repr=False)
    _short: Mapping[str, Flag] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named: dict[str, Flag] = {}
        for flag in self.flags:
            named.setdefault(flag.name, flag)
        short: dict[str, Flag] = {}
        for flag in named.values():
            if flag.short:
                short.setdefault(flag.short, flag)
        object.__setattr__(self, "_named", named)
        object.__setattr__(self, "_short", short)

    def named(self, name: str) -> Flag | None:
        """The flag of a name."""
        return self._named.get(self.normal(name))

    def shortened(self, letter: str) -> Flag | None:
        """The flag of a letter."""
        return self._short.get(letter)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was given: values by the flags' names, and the words that are left."""

    values: Mapping[str, Any]
    rest: tuple[str, ...]


def parse(flags: Flags, words: Sequence[str], *, interspersed: bool = True, lenient: bool = False) -> Parsed:
    """Read a command line.

    ``interspersed``: flags may follow words that are none; else the first such word ends it.
    ``lenient``: flags that are not known are passed over, with what looks like their values.

    Raises:
        FlagError: a flag is not known, has no value, or one that it cannot have.
    """
    reader = _Reader(flags, list(words), lenient=lenient)
    while reader.left:
        word = reader.left.pop(0)
        if len(word) < 2 or not word.startswith("-"):
            reader.rest.append(word)
            if not interspersed:
                break
        elif word == "--":
            break
        elif word.startswith("--"):
            reader.long(word)
        else:
            reader.short(word[1:])
    return Parsed(reader.values, (*reader.rest, *reader.left))


class _Reader:
    def __init__(self, flags: Flags, words: list[str], *, lenient: bool) -> None:
        self.left = words
        self.rest: list[str] = []
        self.values: dict[str, Any] = {}
        self._flags = flags
        self._lenient = lenient

    def long(self, word: str) -> None:
        """Read a flag that is written out, and its value."""
        name, equals, value = word[2:].partition("=")
        if not name or name.startswith("-"):
            raise FlagError(f"bad flag syntax: {word}")
        flag = self._flags.named(name)
        if flag is None:
            if not self._lenient:
                raise FlagError(f"unknown flag: --{name}")
            if not equals:
                self._pass_over()
        elif equals:
            self._set(flag, value)
        elif flag.alone is not None:
            self._set(flag, flag.alone)
        elif self.left:
            self._set(flag, self.left.pop(0))
        else:
            raise FlagError(f"flag needs an argument: --{name}")

    def short(self, letters: str) -> None:
        """Read letters after one hyphen: each a flag, the last of them with a value if it needs one."""
        whole = letters
        while letters:
            letter, letters = letters[0], letters[1:]
            flag = self._flags.shortened(letter)
            if flag is None:
                if not self._lenient:
                    raise FlagError(f"unknown shorthand flag: '{letter}' in -{whole}")
                if len(letters) > 1 and letters.startswith("="):
                    return
                self._pass_over()
            elif len(letters) > 1 and letters.startswith("="):
                self._set(flag, letters[1:])
                return
            elif flag.alone is not None:
                self._set(flag, flag.alone)
            elif letters:
                self._set(flag, letters)
                return
            elif self.left:
                self._set(flag, self.left.pop(0))
            else:
                raise FlagError(f"flag needs an argument: '{letter}' in -{whole}")

    def _pass_over(self) -> None:
        if self.left and not self.left[0].startswith("-"):
            self.left.pop(0)

    def _set(self, flag: Flag, text: str) -> None:
        try:
            value = flag.kind.read(text)
        except ValueError as error:
            raise FlagError(
                f"invalid argument {quoted(text)} for {quoted(flag.title)} flag: {error}"
            ) from None
        if flag.kind.several:
            value = [*self.values.get(flag.name, ()), *value]
        self.values[flag.name] = value
