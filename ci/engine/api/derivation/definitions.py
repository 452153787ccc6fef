"""What a GraphQL schema is made of, as plain values: the form between the SDK's source text and SDL.

Types are written as in GraphQL itself (``[String!]!``), default values as GraphQL literals.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field, or a field of an input type."""

    name: str
    type: str
    default: str | None = None
    description: str = ""
    expects: str | None = None  # the object type an ID argument must name


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface type."""

    name: str
    type: str
    arguments: tuple[Argument, ...] = ()
    description: str = ""
    deprecated: str | None = None
    expects: str | None = None  # the object type the returned ID names


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A name an enum may take; ``value`` is what it means (two names may mean the same)."""

    name: str
    value: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum type."""

    name: str
    values: tuple[EnumValue, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """An input object type."""

    name: str
    fields: tuple[Argument, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Object:
    """An object or interface type."""

    name: str
    fields: tuple[Field, ...]
    interfaces: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A custom scalar type."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Definitions:
    """A whole schema; each part is sorted by name."""

    scalars: tuple[Scalar, ...] = field(default=())
    enums: tuple[Enum, ...] = field(default=())
    inputs: tuple[Input, ...] = field(default=())
    interfaces: tuple[Object, ...] = field(default=())
    objects: tuple[Object, ...] = field(default=())
