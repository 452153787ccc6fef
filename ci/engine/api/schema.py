"""The schema as the engine uses it while it serves: every type, field and argument, looked up by name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

Resolve: TypeAlias = Callable[..., Any]
"""What answers a field; see ``ci.engine.api.registry.serves``."""

BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
KEYWORDS = frozenset({"from", "import", "global", "with", "class", "def", "in", "is", "as"})


@cache
def snake(name: str) -> str:
    """Return a GraphQL name as Python writes it: ``maxAPICalls`` is ``max_api_calls``, ``from`` ``from_``."""
    words = BOUNDARY.sub("_", name).lower()
    return f"{words}_" if words in KEYWORDS else words


class Missing:
    """The type of ``MISSING``."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = Missing()
"""Stands for an argument without a default value, or a variable that was not sent."""


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type as a field or argument names it: a named type, or a list of ``item``."""

    text: str
    name: str
    required: bool
    item: "TypeRef | None" = None

    def __str__(self) -> str:
        return self.text


@cache
def type_ref(text: str) -> TypeRef:
    """Read a type as GraphQL writes it, such as ``[String!]!``."""
    required = text.endswith("!")
    inner = text[:-1] if required else text
    if inner.startswith("["):
        item = type_ref(inner[1:-1])
        return TypeRef(text, item.name, required, item)
    return TypeRef(text, inner, required)


@dataclass(frozen=True, slots=True)
class ArgumentSpec:
    """An argument that a field takes."""

    name: str
    parameter: str  # the resolver's name for it
    type: TypeRef
    default: Any = MISSING
    expects: str | None = None  # the object type an ID must name

    @property
    def required(self) -> bool:
        """Whether a call without it is an error."""
        return self.type.required and self.default is MISSING


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of an object or interface; one of a module's type brings what answers it."""

    owner: str
    name: str
    type: TypeRef
    arguments: Mapping[str, ArgumentSpec]
    expects: str | None = None
    resolve: Resolve | None = None

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """An object or interface type."""

    name: str
    interfaces: frozenset[str]
    fields: Mapping[str, FieldSpec]


@dataclass(frozen=True, slots=True)
class Schema:
    """All types by name. ``possible`` has, for each composite type, the names of its objects."""

    objects: Mapping[str, ObjectSpec]
    interfaces: Mapping[str, ObjectSpec]
    enums: Mapping[str, Mapping[str, str]]  # each name, and the first name that means the same
    inputs: Mapping[str, Mapping[str, ArgumentSpec]]
    scalars: frozenset[str]
    possible: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        possible: dict[str, set[str]] = {name: {name} for name in self.objects}
        possible |= {name: set() for name in self.interfaces}
        for object_ in self.objects.values():
            for interface in object_.interfaces:
                possible.setdefault(interface, set()).add(object_.name)
        frozen = {name: frozenset(objects) for name, objects in possible.items()}
        object.__setattr__(self, "possible", frozen)

    def composite(self, name: str) -> ObjectSpec | None:
        """Return the object or interface of that name; None for a leaf type."""
        return self.objects.get(name) or self.interfaces.get(name)

    def kind(self, name: str) -> str:
        """What sort of type has that name, as GraphQL's ``__TypeKind`` calls it."""
        for kind, names in (
            ("OBJECT", self.objects),
            ("INTERFACE", self.interfaces),
            ("ENUM", self.enums),
            ("INPUT_OBJECT", self.inputs),
        ):
            if name in names:
                return kind
        return "SCALAR"

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Schema":
        """Build the schema from the JSON form that ``tables.table`` writes."""
        return cls(
            objects={name: _object(name, o) for name, o in table["objects"].items()},
            interfaces={name: _object(name, o) for name, o in table["interfaces"].items()},
            enums=table["enums"],
            inputs={name: _arguments(fields) for name, fields in table["inputs"].items()},
            scalars=frozenset(table["scalars"]),
        )


def _object(name: str, table: Mapping[str, Any]) -> ObjectSpec:
    fields = {
        field_name: FieldSpec(
            name, field_name, type_ref(f["type"]), _arguments(f["arguments"]), f.get("expects")
        )
        for field_name, f in table["fields"].items()
    }
    return ObjectSpec(name, frozenset(table["interfaces"]), fields)


def _arguments(table: Mapping[str, Any]) -> dict[str, ArgumentSpec]:
    return {
        name: ArgumentSpec(
            name, snake(name), type_ref(a["type"]), a.get("default", MISSING), a.get("expects")
        )
        for name, a in table.items()
    }
