"""Writes values of the graph down as JSON and reads them back in another session: what a function gave.

A value is a table of nodes, each once however often it is used; a node names its class and its fields, and a
field is a plain value or ``[number of a node]``.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from typing import Any

from ci.engine.graph.secret import Secret
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, Lost, Snapshot

_OURS = "ci.engine."


class Unrecordable(Exception):
    """A value that means nothing in another session: a secret that the client has set, or a live thing."""


def written(value: Any) -> list[Any]:
    """A value as a table of nodes, the value itself last.

    Raises:
        Unrecordable: something in it means nothing to another session.
    """
    nodes: list[Any] = []
    numbers: dict[int, int] = {}
    pending: list[tuple[Any, bool]] = [(value, False)]
    alive = []  # an object's id() is its own only as long as it lives
    while pending:
        current, visited = pending.pop()
        if id(current) in numbers:
            continue
        if not visited:
            alive.append(current)
            pending.append((current, True))
            pending += [(each, False) for each in _parts(current) if not _plain(each)]
            continue
        numbers[id(current)] = len(nodes)
        nodes.append(_node(current, numbers))
    return nodes


def read(nodes: list[Any], store: Store) -> Any:
    """The value of a table of nodes.

    Raises:
        Lost: a file system in it is no longer in the store.
        ValueError: it is no such table, or another version of the engine wrote it.
    """
    try:
        return _values(nodes, store)[-1]
    except (AttributeError, ImportError, IndexError) as error:
        raise ValueError(f"not written by this engine: {error}") from error


def _values(nodes: list[Any], store: Store) -> list[Any]:
    values: list[Any] = []
    for kind, *content in nodes:
        parts = [values[each[0]] if isinstance(each, list) else each for each in content]
        if kind == "tuple":
            values.append(tuple(parts))
        elif kind == "map":
            values.append(dict(zip(parts[::2], parts[1::2], strict=True)))
        else:
            values.append(_made(kind, parts, store))
    return values


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        yield from value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from pair
    elif dataclasses.is_dataclass(value) and type(value).__module__.startswith(_OURS):
        if isinstance(value, Secret) and not value.uri:
            raise Unrecordable(f'secret "{value.name}" is known to one session alone')
        for each in dataclasses.fields(value):
            yield getattr(value, each.name)
    elif not _plain(value):
        raise Unrecordable(f"a {type(value).__name__} can't be written down")


def _node(value: Any, numbers: dict[int, int]) -> list[Any]:
    parts = [each if _plain(each) else [numbers[id(each)]] for each in _parts(value)]
    if isinstance(value, dict):
        return ["map", *parts]
    if isinstance(value, tuple | list) and type(value) in {tuple, list}:
        return ["tuple", *parts]
    return [f"{type(value).__module__}:{type(value).__qualname__}", *parts]


def _made(kind: str, parts: list[Any], store: Store) -> Any:
    module, _, name = kind.partition(":")
    if not module.startswith(_OURS):
        raise ValueError(f"{kind} is not one of the engine's values")
    found = getattr(importlib.import_module(module), name)
    if issubclass(found, tuple):
        value = found(*parts)
    else:
        value = object.__new__(found)
        for each, part in zip(dataclasses.fields(found), parts, strict=True):
            object.__setattr__(value, each.name, part)
    getattr(value, "digest", None)  # made of its parts': here, that is one step; later it would recurse
    if isinstance(value, Snapshot) and value.tree != EMPTY:
        try:
            store.trees.load(value.tree)
            if value.near is not None:
                store.chain(value.near)
        except KeyError as error:
            raise Lost(value.tree) from error
    return value
