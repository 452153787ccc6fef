"""What a session's types are, as the command line needs to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ci.engine.modules.types.kinds import (
    BOOLEAN,
    ENUM,
    FLOAT,
    INPUT,
    INTEGER,
    INTERFACE,
    LIST,
    OBJECT,
    SCALAR,
    STRING,
    VOID,
)
from ci.engine.modules.types.names import kebab

_SHOWN = {STRING: "string", INTEGER: "int", FLOAT: "float", BOOLEAN: "bool", VOID: "void"}
_NAMED = {OBJECT: "asObject", INTERFACE: "asInterface", ENUM: "asEnum", INPUT: "asInput", SCALAR: "asScalar"}


@dataclass(frozen=True, slots=True)
class Type:
    """A type as a function or an argument has it; ``name`` is "" for GraphQL's own scalars."""

    kind: str
    name: str = ""
    optional: bool = False
    element: Type | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Type:
        """Read a TypeDef."""
        kind = told["kind"]
        named = told.get(_NAMED.get(kind, "")) or {}
        listed = told.get("asList") or {}
        element = cls.of(listed["elementTypeDef"]) if listed else None
        return cls(kind, named.get("name", ""), bool(told.get("optional")), element)

    @property
    def text(self) -> str:
        """As messages call it."""
        if self.kind == LIST:
            return f"[]{self.element.text if self.element else ''}"
        return self.name or _SHOWN.get(self.kind, "")

    @property
    def single(self) -> Type:
        """The type itself, or what it is a list of."""
        return self.element if self.kind == LIST and self.element is not None else self

    @property
    def provides(self) -> bool:
        """Whether it has functions, or is a list of what has."""
        return self.single.kind in {OBJECT, INTERFACE}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function; ``default`` is JSON, or "" for none."""

    name: str
    type: Type
    description: str = ""
    default: str = ""
    default_path: str = ""
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any], *, own: bool) -> Argument:
        """Read a FunctionArg; ``own``: of a module's function, and not of one of Dagger's."""
        return cls(
            told["name"],
            Type.of(told["typeDef"]),
            _rejoined(told.get("description") or "", own=own),
            told.get("defaultValue") or "",
            told.get("defaultPath") or "",
            tuple(told.get("ignore") or ()),
        )

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return kebab(self.name)

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return not (self.type.optional or self.default or self.default_path)


@dataclass(frozen=True, slots=True)
class Function:
    """A function, or a field of an object, which is one without arguments."""

    name: str
    returns: Type
    description: str = ""
    arguments: tuple[Argument, ...] = ()
    module: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Function:
        """Read a Function."""
        module = told.get("sourceModuleName") or ""
        return cls(
            told["name"],
            Type.of(told["returnType"]),
            _rejoined(told.get("description") or "", own=bool(module)),
            tuple(Argument.of(each, own=bool(module)) for each in told.get("args") or ()),
            module,
        )

    @property
    def command(self) -> str:
        """Its name on the command line."""
        return kebab(self.name)

    @property
    def short(self) -> str:
        """The first line of its description."""
        return self.description.partition("\n")[0] or "-"


@dataclass(frozen=True, slots=True)
class Provider:
    """An object or interface, by the functions that it has."""

    name: str
    functions: tuple[Function, ...] = ()
    description: str = ""
    module: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Provider:
        """Read an ObjectTypeDef or an InterfaceTypeDef."""
        fields = [
            Function(each["name"], Type.of(each["typeDef"]), each.get("description") or "")
            for each in told.get("fields") or ()
        ]
        return cls(
            told["name"],
            (*fields, *(Function.of(each) for each in told.get("functions") or ())),
            told.get("description") or "",
            told.get("sourceModuleName") or "",
        )

    def function(self, name: str) -> Function | None:
        """The function that has a name in GraphQL."""
        return next((each for each in self.functions if each.name == name), None)


def _rejoined(text: str, *, own: bool) -> str:
    """A description with each paragraph in one line: those of Dagger's own types come wrapped."""
    if own:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and lines[-1] and line and not line.startswith((" ", "-", "*", "`")):
            lines[-1] = f"{lines[-1]} {line}"
        else:
            lines.append(line)
    return "\n".join(lines)
