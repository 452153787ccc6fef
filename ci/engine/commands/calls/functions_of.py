"""Which functions of an object the command line has, and a function's flags."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from ci.engine.commands.arguments.flags import Flag
from ci.engine.commands.calls.definitions import Argument, Function, Provider
from ci.engine.commands.calls.values import UnsupportedError, Word, kind_of, supported
from ci.engine.modules.types.kinds import ENUM

#: Functions that are for SDKs and not for people, or that have no use on a command line.
_NOT_FOR_PEOPLE = {
    "Query": frozenset(
        {
            "_builtinContainer",
            "generatedCode",
            "currentFunctionCall",
            "currentModule",
            "typeDef",
            "sourceMap",
            "function",
            "cacheVolume",
            "setSecret",
            "with",
            "pipeline",
            "node",
        }
    ),
    "Module": frozenset({"withDescription", "withObject", "withInterface", "withEnum"}),
}
_BY_ID = re.compile(r"node|load\w+FromID")  # IDs are never typed
_FOR_SDKS = frozenset({"TypeDef", "Function"})


def offered(provider: Provider) -> list[Function]:
    """The functions that can be called from the command line."""
    return [each for each in provider.functions if not _skipped(provider, each)]


def left_out(provider: Provider) -> list[Function]:
    """The functions that cannot."""
    return [each for each in provider.functions if _skipped(provider, each)]


def flags_of(arguments: Sequence[Argument], members: Callable[[str], Sequence[str]]) -> list[Flag]:
    """The flags for arguments, without those that cannot be given; ``members`` are an enum's values."""
    found = []
    for argument in arguments:
        try:
            kind = kind_of(argument, members)
        except UnsupportedError:
            continue
        found.append(
            Flag(
                argument.flag,
                kind,
                argument.description,
                default=_default(argument),
                required=argument.required,
            )
        )
    return found


def _skipped(provider: Provider, function: Function) -> bool:
    if provider.name in _FOR_SDKS or function.name in _NOT_FOR_PEOPLE.get(provider.name, ()):
        return True
    if provider.name == "Query" and _BY_ID.fullmatch(function.name):
        return True
    return any(each.required and not supported(each) for each in function.arguments)


def _default(argument: Argument) -> Any:
    """The default that help tells of; of lists of objects there is always one, which is empty."""
    try:
        value = json.loads(argument.default) if argument.default else None
    except ValueError:
        return None
    single = argument.type.single
    if argument.type is not single:
        items = value if isinstance(value, list) else []
        return [Word(str(each)) for each in items] if single.kind == ENUM else items
    if value is None:
        return {"PortForward": "0:0", "BuildArg": "="}.get(single.name)
    return value
