"""Digests of values: the same parts give the same digest, in any session and on any machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any


def fingerprint(*parts: Any) -> str:
    """The sha256 (hex) of some parts: scalars, sequences, mappings and values that have a ``digest``.

    Raises:
        TypeError: a part is of another kind, and so has no stable digest.
    """
    return hashlib.sha256(json.dumps(_plain(parts), separators=(",", ":")).encode()).hexdigest()


_SCALARS = frozenset((str, int, bool, float, type(None)))


def _plain(value: Any) -> Any:
    kind = type(value)  # the exact types first: a step's key is made of a hundred strings in tuples
    if kind in _SCALARS:
        return value
    if kind is tuple or kind is list:
        return [item if type(item) in _SCALARS else _plain(item) for item in value]
    return _other(value)


def _other(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return {"sha256": hashlib.sha256(value).hexdigest()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case dict():
            return {"map": sorted((str(key), _plain(item)) for key, item in value.items())}
    named = getattr(value, "digest", None)
    if isinstance(named, str):
        return {type(value).__name__: named}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [[f.name, _plain(getattr(value, f.name))] for f in dataclasses.fields(value)]
        return {type(value).__name__: fields}
    raise TypeError(f"{type(value).__name__} has no stable digest")


class Digested:
    """A frozen value whose digest is made of its fields, once."""

    @property
    def digest(self) -> str:
        """The sha256 (hex) of this value's type and fields."""
        known: str | None = self.__dict__.get("_digest")
        if known is None:
            fields = dataclasses.fields(self)  # type: ignore[arg-type]
            known = fingerprint(type(self).__name__, [(f.name, getattr(self, f.name)) for f in fields])
            object.__setattr__(self, "_digest", known)
        return known
