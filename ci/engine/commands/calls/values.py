"""Values of arguments: what is typed, and what is written into the query for it.

Most objects have addresses: a path, an image, a repository. A value of theirs is a query of its own, whose
answer is the object's ID.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ci.engine.commands.arguments.kinds import (
    INTEGER,
    INTEGERS,
    NUMBER,
    NUMBERS,
    SWITCH,
    SWITCHES,
    TEXT,
    TEXTS,
    Kind,
    made,
    several,
)
from ci.engine.commands.calls.definitions import Argument, Type
from ci.engine.modules.types import kinds

_PLAIN = {kinds.STRING: TEXT, kinds.INTEGER: INTEGER, kinds.FLOAT: NUMBER, kinds.BOOLEAN: SWITCH}
_LISTS = {kinds.STRING: TEXTS, kinds.INTEGER: INTEGERS, kinds.FLOAT: NUMBERS, kinds.BOOLEAN: SWITCHES}


class UnsupportedError(Exception):
    """An argument that cannot be given on the command line."""


@dataclass(frozen=True, slots=True)
class Word:
    """A value of an enum."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Asked:
    """An object: ``query`` selects it from the top, and its ID is at ``path`` in the answer."""

    text: str
    query: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Pairs:
    """A value of an input type, and how it was typed."""

    text: str
    values: dict[str, Any]

    def __str__(self) -> str:
        return self.text


def kind_of(argument: Argument, members: Callable[[str], Sequence[str]]) -> Kind:
    """How an argument's value is read; ``members`` are the values of an enum, by its name.

    Raises:
        UnsupportedError: it cannot be given on the command line.
    """
    type_ = argument.type
    if type_.kind == kinds.LIST and type_.element is not None:
        element = type_.element
        if element.kind in _LISTS:
            return _LISTS[element.kind]
        single = _single(element, argument, members)
        if single is None or element.name in {"GitRepository", "GitRef"}:
            raise UnsupportedError(f"list of {element.text}s")
        return TEXTS if single is TEXT else several(single)
    single = _single(type_, argument, members)
    if single is None or (type_.kind == kinds.OBJECT and argument.flag == "id"):
        raise UnsupportedError(type_.text)
    return single


def supported(argument: Argument) -> bool:
    """Whether an argument can be given on the command line."""
    try:
        kind_of(argument, lambda _enum: ())
    except UnsupportedError:
        return False
    return True


def literal(value: Any, found: dict[Asked, str]) -> str:
    """A value as a query has it; ``found`` are the IDs of those that were asked for."""
    match value:
        case Word():
            return value.text
        case Asked():
            return json.dumps(found[value])
        case Pairs():
            return (
                "{" + ", ".join(f"{key}: {literal(each, found)}" for key, each in value.values.items()) + "}"
            )
        case list() | tuple():
            return f"[{', '.join(literal(each, found) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)


def asked(value: Any) -> list[Asked]:
    """The objects in a value."""
    if isinstance(value, list):
        return [each for item in value for each in asked(item)]
    return [value] if isinstance(value, Asked) else []


def _single(type_: Type, argument: Argument, members: Callable[[str], Sequence[str]]) -> Kind | None:
    if type_.kind == kinds.ENUM:
        return _choice(sorted(members(type_.name)))
    if type_.kind == kinds.SCALAR:
        return made("Platform", _platform) if type_.name == "Platform" else TEXT
    if type_.kind == kinds.OBJECT and type_.name == "Directory":
        return made(type_.name, _directory(argument.ignore))
    own = {kinds.INPUT: _INPUTS, kinds.OBJECT: _OBJECTS}.get(type_.kind, {})
    return made(type_.name, own[type_.name]) if type_.name in own else _PLAIN.get(type_.kind)


def _choice(names: Sequence[str]) -> Kind:
    shown = ",".join(names)

    def read(text: str) -> Word:
        for name in names:
            if name.casefold() == text.casefold():
                return Word(name)
        raise ValueError(f"value should be one of {shown}")

    return Kind(shown, read)


def _address(selection: str, *path: str) -> Callable[[str], Asked]:
    def read(text: str) -> Asked:
        query = f"address(value: {json.dumps(text)}) {{ {selection} }}"
        return Asked(text, query, path)

    return read


def _directory(ignore: tuple[str, ...]) -> Callable[[str], Asked]:
    chosen = f"(exclude: {json.dumps(list(ignore))})" if ignore else ""
    return _address(f"directory{chosen} {{ sync }}", "directory", "sync")


def _cache_volume(text: str) -> Asked:
    if not text:
        raise ValueError("cacheVolume name cannot be empty")
    return Asked(text, f"cacheVolume(key: {json.dumps(text)}) {{ id }}", ("id",))


def _module_source(text: str) -> Asked:
    if not text:
        raise ValueError("module source ref cannot be empty")
    return Asked(text, f"moduleSource(refString: {json.dumps(text)}) {{ sync }}", ("sync",))


def _module(text: str) -> Asked:
    if not text:
        raise ValueError("module ref cannot be empty")
    selection = f"moduleSource(refString: {json.dumps(text)}) {{ asModule {{ sync }} }}"
    return Asked(text, selection, ("asModule", "sync"))


def _platform(text: str) -> str:
    if not text:
        raise ValueError("platform cannot be empty")
    if text == "current":
        from ci.engine.platform import host_platform

        return host_platform()
    return text


def _port_forward(text: str) -> Pairs:
    if not text:
        raise ValueError("portForward setting cannot be empty")
    frontend, colon, backend = text.partition(":")
    if not colon:
        raise ValueError(f"portForward setting not in the form of frontend:backend: {json.dumps(text)}")
    for side, number in (("frontend", frontend), ("backend", backend)):
        if not number.removeprefix("-").isdecimal():
            raise ValueError(f"portForward {side} not a valid integer: {json.dumps(number)}")
    return Pairs(text, {"frontend": int(frontend), "backend": int(backend)})


def _build_argument(text: str) -> Pairs:
    name, equals, value = text.strip('"').partition("=")
    if not equals:
        raise ValueError(f"{text} must be formatted as name=value")
    if not name:
        raise ValueError(f"{text} cannot have an empty name")
    return Pairs(text, {"name": name, "value": value})


_INPUTS: dict[str, Callable[[str], Any]] = {"PortForward": _port_forward, "BuildArg": _build_argument}
_OBJECTS: dict[str, Callable[[str], Any]] = {
    "Container": _address("container { sync }", "container", "sync"),
    "File": _address("file { sync }", "file", "sync"),
    "Secret": _address("secret { id }", "secret", "id"),
    "Service": _address("service { start }", "service", "start"),
    "Socket": _address("socket { id }", "socket", "id"),
    "GitRepository": _address("gitRepository { id }", "gitRepository", "id"),
    "GitRef": _address("gitRef { id }", "gitRef", "id"),
    "CacheVolume": _cache_volume,
    "ModuleSource": _module_source,
    "Module": _module,
}
