"""What a module's types are, as values: objects, interfaces, enums, their functions and arguments.

``original`` is a name as the author wrote it and as the SDK knows it; ``name`` is what GraphQL calls it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ci.engine.graph.fingerprint import Digested
from ci.engine.modules.types.kinds import BUILT_IN, ENUM, INTERFACE, OBJECT, SCALAR, VOID

#: Seconds that a function's result may be used again: at most, and if it does not say. As in Dagger's engine.
LONGEST_TTL = 7 * 24 * 3600


@dataclass(frozen=True)
class SourceMap(Digested):
    """Where in a module's source something is."""

    filename: str
    line: int
    column: int
    module: str = ""
    url: str = ""


@dataclass(frozen=True)
class TypeDef(Digested):
    """A type as it is referred to, or (for an object, interface or enum) as it is defined.

    ``kind`` is "" until it is told. ``element`` is what a list is of, ``named`` what has a name of its own.
    """

    kind: str = ""
    optional: bool = False
    element: TypeDef | None = None
    named: Object | Interface | Enum | Scalar | Input | None = None

    @property
    def name(self) -> str:
        """What it is called among all types: a list ``[String]``, or ``[String?]`` if parts may be null."""
        if self.element is not None:
            return f"[{self.element.name}{'?' if self.element.optional else ''}]"
        return self.named.name if self.named is not None else BUILT_IN.get(self.kind, "")

    @property
    def text(self) -> str:
        """As GraphQL writes it, such as ``[String!]!``."""
        mark = "" if self.optional or self.kind == VOID else "!"
        return f"{self._inner()}{mark}"

    @property
    def input_text(self) -> str:
        """As GraphQL writes the type of an argument: objects are named by their IDs."""
        mark = "" if self.optional else "!"
        if self.element is not None:
            return f"[{self.element.input_text}]{mark}"
        return f"ID{mark}" if self.kind in {OBJECT, INTERFACE} else f"{self._inner()}{mark}"

    @property
    def leaf(self) -> TypeDef:
        """The type itself, or what the innermost of its lists is of."""
        return self.element.leaf if self.element is not None else self

    def _inner(self) -> str:
        if self.element is not None:
            return f"[{self.element.text}]"
        return self.named.name if self.named is not None else BUILT_IN.get(self.kind, "Void")


@dataclass(frozen=True)
class Argument(Digested):
    """An argument of a function; ``default`` is JSON."""

    name: str
    original: str
    type: TypeDef
    description: str = ""
    default: str | None = None
    default_path: str = ""
    default_address: str = ""
    ignore: tuple[str, ...] = ()
    source_map: SourceMap | None = None
    deprecated: str | None = None

    @property
    def contextual(self) -> bool:
        """Whether its default is found around the module or at an address."""
        return bool(self.default_path or self.default_address)

    @property
    def needed(self) -> bool:
        """Whether it has to be given: there is no default of any sort, and it may not be null."""
        return not (self.type.optional or self.contextual or self.default is not None)


@dataclass(frozen=True)
class Function(Digested):
    """A function; a constructor has no name. ``ttl``: for how many seconds its results may be used again."""

    name: str
    original: str
    returns: TypeDef
    description: str = ""
    arguments: tuple[Argument, ...] = ()
    source_map: SourceMap | None = None
    deprecated: str | None = None
    cache_policy: str = "Default"
    ttl: int | None = None
    check: bool = False
    generator: bool = False
    up: bool = False
    module: str = ""


@dataclass(frozen=True)
class Field(Digested):
    """A part of an object's state that anyone may read."""

    name: str
    original: str
    type: TypeDef
    description: str = ""
    source_map: SourceMap | None = None
    deprecated: str | None = None

    def read(self, module: str = "") -> Function:
        """The field as a function of ``module`` without arguments, which is what it is to clients."""
        return Function(
            self.name,
            self.original,
            self.type,
            self.description,
            source_map=self.source_map,
            deprecated=self.deprecated,
            module=module,
        )


@dataclass(frozen=True)
class Object(Digested):
    """A type of objects."""

    name: str
    original: str
    description: str = ""
    fields: tuple[Field, ...] = ()
    functions: tuple[Function, ...] = ()
    constructor: Function | None = None
    source_map: SourceMap | None = None
    deprecated: str | None = None
    module: str = ""

    def named_functions(self) -> dict[str, Function]:
        """Its functions by their names in GraphQL."""
        return {function.name: function for function in self.functions}


@dataclass(frozen=True)
class Interface(Digested):
    """What objects of other modules have to have, to be of this type as well."""

    name: str
    original: str
    description: str = ""
    functions: tuple[Function, ...] = ()
    source_map: SourceMap | None = None
    module: str = ""


@dataclass(frozen=True)
class Member(Digested):
    """A value of an enum."""

    name: str
    original: str
    value: str = ""
    description: str = ""
    source_map: SourceMap | None = None
    deprecated: str | None = None


@dataclass(frozen=True)
class Enum(Digested):
    """A type of a few named values."""

    name: str
    original: str
    description: str = ""
    members: tuple[Member, ...] = ()
    source_map: SourceMap | None = None
    module: str = ""


@dataclass(frozen=True)
class Scalar(Digested):
    """A type of values that are texts of a certain form."""

    name: str
    original: str
    description: str = ""
    module: str = ""


@dataclass(frozen=True)
class Input(Digested):
    """A group of arguments."""

    name: str
    fields: tuple[Field, ...] = ()
    description: str = ""


def referring(kind: str, name: str, *, optional: bool = False) -> TypeDef:
    """A reference to an object, interface, enum or scalar by its name."""
    makers = {OBJECT: Object, INTERFACE: Interface, ENUM: Enum, SCALAR: Scalar}
    return TypeDef(kind, optional, named=makers[kind](name, name))
