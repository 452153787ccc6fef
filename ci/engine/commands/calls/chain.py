"""A chain of functions on the command line, each with its arguments, walked along the session's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ci.engine.commands.arguments.flags import Flag, FlagError, Flags, parse
from ci.engine.commands.arguments.quoting import quoted
from ci.engine.commands.calls.definitions import Function, Provider, Type
from ci.engine.commands.calls.functions_of import flags_of, offered
from ci.engine.modules.types.names import kebab


class Known(Protocol):
    """Where the types come from."""

    def provider(self, type_: Type) -> Provider:
        """The functions of a type."""

    def members(self, enum: str) -> Sequence[str]:
        """The names of an enum's values."""


@dataclass(frozen=True, slots=True)
class Level:
    """A function as a command of its own: what its help tells of."""

    path: str
    function: Function
    flags: tuple[Flag, ...]
    provider: Provider | None


class UsageError(Exception):
    """The command line is not one; the help of ``level`` says what would be."""

    def __init__(self, message: str, level: Level) -> None:
        super().__init__(message)
        self.level = level


@dataclass(frozen=True, slots=True)
class Step:
    """A function that is called, and the values of its arguments."""

    field: str
    values: Mapping[str, Any]
    level: Level


@dataclass(frozen=True, slots=True)
class Chain:
    """``last`` is the function at the end; ``options`` are the values of the flags of the command itself."""

    steps: tuple[Step, ...]
    last: Level
    options: Mapping[str, Any] = field(default_factory=dict)


def walk(
    known: Known,
    start: Function,
    path: str,
    options: Sequence[Flag],
    words: Sequence[str],
    *,
    helping: bool = False,
) -> Chain:
    """Read the words after a command: flags of ``start``, the name of a function, its flags, and so on.

    ``options`` are flags of the command itself, which may stand anywhere. ``helping``: help is asked for, so
    nothing has to be complete.

    Raises:
        UsageError: a flag or a function is not known, or one that is needed is missing.
    """
    steps: list[Step] = []
    given: dict[str, Any] = {}
    function, rest = start, tuple(words)
    while True:
        own = flags_of(function.arguments, known.members)
        provider = known.provider(function.returns) if function.returns.provides else None
        level = Level(path, function, tuple(own), provider)
        try:
            parsed = parse(Flags((*own, *options), kebab), rest, interspersed=False)
        except FlagError as error:
            raise UsageError(str(error), level) from None
        names = {flag.name for flag in own}
        given |= {name: value for name, value in parsed.values.items() if name not in names}
        if not helping:
            _check(level, parsed.values)
        values = {
            argument.name: parsed.values[argument.flag]
            for argument in function.arguments
            if argument.flag in names and argument.flag in parsed.values
        }
        if function.name:
            steps.append(Step(function.name, values, level))
        rest = parsed.rest
        if not rest:
            return Chain(tuple(steps), level, given)
        function = _found(level, rest[0])
        path, rest = f"{path} {function.command}", rest[1:]


def _check(level: Level, values: Mapping[str, Any]) -> None:
    missing = sorted(flag.name for flag in level.flags if flag.required and flag.name not in values)
    if missing:
        names = '", "'.join(missing)
        raise UsageError(f'required flag(s) "{names}" not set', level)


def _found(level: Level, name: str) -> Function:
    for function in offered(level.provider) if level.provider else ():
        if function.command == name:
            return function
    raise UsageError(f"unknown command {quoted(name)} for {quoted(level.path)}", level)
