"""Schemas of resource types: what each property is, and what a change of it takes.

A schema is a text, one property a line, nested by two spaces (``schemas/*.schema``)::

    name    kind    words

``name`` is Pulumi's. ``kind`` is string, int, float, bool, map (of strings), list and set (of strings),
object, objects (a list) or set (of objects, when properties follow). Words: ``required``; ``computed`` (the
cloud says) or ``either`` (the cloud says when the user doesn't); ``replaces`` (a change takes a replacement);
``secret``; ``wrapped`` (one object here, a list of one in the API); ``local`` (never sent); ``as NAME`` (in
the API); and last ``= VALUE`` (the default, as JSON).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

Kind = Literal["string", "int", "float", "bool", "map", "list", "set", "object", "objects"]
_KINDS: Final = frozenset(get_args(Kind))
_FLAGS: Final = frozenset({"required", "computed", "either", "replaces", "secret", "wrapped", "local"})


@dataclass(frozen=True, slots=True)
class Field:
    """One property. ``flags`` are the words of its line."""

    name: str
    kind: Kind
    api: str
    flags: frozenset[str] = frozenset()
    default: Any = None
    fields: Mapping[str, Field] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def required(self) -> bool:
        """Whether the user must give it."""
        return "required" in self.flags

    @property
    def computed(self) -> bool:
        """Whether the cloud alone says what it is."""
        return "computed" in self.flags

    @property
    def filled(self) -> bool:
        """Whether the cloud says what it is when the user doesn't."""
        return "either" in self.flags or self.computed

    @property
    def replaces(self) -> bool:
        """Whether a change takes a replacement."""
        return "replaces" in self.flags

    @property
    def secret(self) -> bool:
        """Whether its value is never shown."""
        return "secret" in self.flags

    @property
    def sent(self) -> bool:
        """Whether the API knows it."""
        return "local" not in self.flags

    @property
    def many(self) -> bool:
        """Whether it is a list of objects, in whatever order."""
        return self.kind == "objects" or (self.kind == "set" and bool(self.fields))


Schema = Mapping[str, Field]


@functools.cache
def load(name: str) -> Schema:
    """The schema in ``schemas/NAME.schema``. Raises ValueError for a line that is none."""
    text = (
        resources.files("infra.engine.providers.gcp").joinpath("schemas", f"{name}.schema").read_text("utf-8")
    )
    return parse(text)


def parse(text: str) -> Schema:
    """The schema in a text. Raises ValueError for a line that is none."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return _level(_Lines(lines), 0)


@dataclass(slots=True)
class _Lines:
    lines: list[str]
    at: int = 0

    def at_depth(self, depth: int) -> Iterator[str]:
        """Lines from here on that have this depth, until one has less; who asks takes the deeper ones."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if len(line) - len(line.lstrip()) != 2 * depth:
                return
            self.at += 1
            yield line


def _level(lines: _Lines, depth: int) -> Schema:
    found: dict[str, Field] = {}
    for line in lines.at_depth(depth):
        words, _, default = line.partition(" = ")
        name, kind, *rest = words.split()
        api = name
        if "as" in rest:
            position = rest.index("as")
            api = rest[position + 1]
            rest[position:] = []
        if kind not in _KINDS or not _FLAGS.issuperset(rest):
            raise ValueError(f"not a property: {line}")
        below = _level(lines, depth + 1)
        found[name] = Field(
            name,
            kind,  # type: ignore[arg-type]  # it is one of the kinds
            api,
            frozenset(rest),
            json.loads(default) if default else None,
            below,
        )
    return MappingProxyType(found)
