"""The kinds of property value: JSON's own as themselves, and frozen markers for the rest.

A property bag is a plain ``dict`` and a list a plain ``list``; neither is changed once made. Numbers are
``float`` on the wire and may be ``int`` here: they compare equal. What each kind means is Pulumi's
(sdk/go/common/resource/properties.go).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Value: TypeAlias = (
    "bool | int | float | str | list[Value] | dict[str, Value]"
    " | Secret | Unknown | Asset | Archive | ResourceReference | Output | None"
)
Properties: TypeAlias = dict[str, Value]

UnknownKind = Literal["string", "bool", "number", "array", "object", "asset", "archive"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only the update itself will tell.

    ``kind`` is the type that it will have, as far as known.
    """

    kind: UnknownKind = "string"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never shown, and is encrypted at rest."""

    element: Value = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file's content: exactly one of ``text``, ``path`` and ``uri``, or ``hash`` (hex SHA-256) alone."""

    hash: str = ""
    text: str | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A tree of files: exactly one of ``assets`` (name to asset or archive), ``path`` and ``uri``."""

    hash: str = ""
    assets: dict[str, Asset | Archive] | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """A resource used as a value. ``id`` is None for a component, and may be unknown."""

    urn: str
    id: Value = None
    package_version: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A value together with what it depends on; ``known`` is False while only the update will tell it."""

    element: Value = field(default=None, repr=False)
    known: bool = False
    secret: bool = False
    dependencies: tuple[str, ...] = ()
