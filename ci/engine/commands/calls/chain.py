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


class UsageError(Exception):
    """The command line is not one; ``path`` is the command whose help says what would be."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Step:
    """A function that is called, the values of its arguments, and the command that it is."""

    field: str
    values: Mapping[str, Any]
    path: str


@dataclass(frozen=True, slots=True)
class Level:
    """A function as a command of its own: what its help tells of."""

    path: str
    function: Function
    flags: tuple[Flag, ...]
    provider: Provider | None


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
        try:
            parsed = parse(Flags((*own, *options), kebab), rest, interspersed=False)
        except FlagError as error:
            raise UsageError(str(error), path) from None
        names = {flag.name for flag in own}
        given |= {name: value for name, value in parsed.values.items() if name not in names}
        if not helping:
            _check(own, parsed.values, path)
        provider = known.provider(function.returns) if function.returns.provides else None
        values = {
            argument.name: parsed.values[argument.flag]
            for argument in function.arguments
            if argument.flag in names and argument.flag in parsed.values
        }
        if function.name:
            steps.append(Step(function.name, values, path))
        level = Level(path, function, tuple(own), provider)
        rest = parsed.rest
        if not rest:
            return Chain(tuple(steps), level, given)
        function = _found(provider, rest[0], path)
        path, rest = f"{path} {function.command}", rest[1:]


def _check(flags: Sequence[Flag], values: Mapping[str, Any], path: str) -> None:
    missing = sorted(flag.name for flag in flags if flag.required and flag.name not in values)
    if missing:
        names = '", "'.join(missing)
        raise UsageError(f'required flag(s) "{names}" not set', path)


def _found(provider: Provider | None, name: str, path: str) -> Function:
    for function in offered(provider) if provider else ():
        if function.command == name:
            return function
    raise UsageError(f"unknown command {quoted(name)} for {quoted(path)}", path)
