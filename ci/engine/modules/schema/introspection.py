"""Modules' types as GraphQL's introspection tells of them, beside those of the installed SDK."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ci.engine.api.schema import Schema, TypeRef, type_ref
from ci.engine.modules.module import Module
from ci.engine.modules.types.entrypoint import promoted
from ci.engine.modules.types.typedefs import Argument, Enum, Function, Interface, Object

_SCALARS = ("Boolean", "Float", "ID", "Int", "String")


def extended(
    core: dict[str, Any],
    schema: Schema,
    shown: Sequence[Module],
    visible: Sequence[Module],
    entrypoint: Module | None = None,
) -> dict[str, Any]:
    """The document ``core`` with the types of ``shown`` modules, and ``Query`` with the ``visible`` ones."""
    names = {each["name"] for each in core["__schema"]["types"]}
    names |= {each.name for module in shown for each in module.all(Object)}
    names |= {each.name for module in shown for each in module.all(Interface)}
    teller = _Teller(schema, frozenset(names))
    own = [each for module in shown for each in teller.types(module)]
    names = {each["name"] for each in own}
    entered = [each.entry for each in visible if each.entry is not None and each is not entrypoint]
    entries = [teller.function(each) for each in (*entered, *promoted(entrypoint))]
    more = {
        "Query": {"fields": [*entries, *teller.loaders(shown)]},
        "Node": {"possibleTypes": [_reference(t["name"], "OBJECT") for t in own if t["kind"] == "OBJECT"]},
    }
    types = [_with(t, more.get(t["name"], {})) for t in core["__schema"]["types"] if t["name"] not in names]
    told = {each["name"] for each in types}
    scalars = [_type("SCALAR", name, "") for name in _SCALARS if name not in told]  # the SDK has no Float
    types = sorted([*types, *own, *scalars], key=lambda each: str(each["name"]))
    return {**core, "__schema": {**core["__schema"], "types": types}}


def _with(type_: dict[str, Any], more: dict[str, list[Any]]) -> dict[str, Any]:
    """A type with more in its parts: in the place of what has the same name, the last one counts."""
    parts = {
        part: list({each["name"]: each for each in (*type_[part], *items)}.values())
        for part, items in more.items()
    }
    return {**type_, **parts}


class _Teller:
    """Tells of types by a schema that has them all, and leaves out those that are not ``shown``."""

    def __init__(self, schema: Schema, shown: frozenset[str]) -> None:
        self._schema = schema
        self._shown = shown

    def types(self, module: Module) -> list[dict[str, Any]]:
        """The types of a module."""
        found = []
        for definition in module.types:
            match definition.named:
                case Object() as object_:
                    interfaces = sorted(self._schema.objects[object_.name].interfaces & self._shown)
                    read = (each.read() for each in object_.fields)
                    fields = [self.function(each) for each in (*read, *object_.functions)]
                    found.append(self._composite("OBJECT", object_, fields, interfaces))
                case Interface() as interface:
                    fields = [self.function(each) for each in interface.functions]
                    above = sorted(self._schema.interfaces[interface.name].interfaces & self._shown)
                    found.append(self._composite("INTERFACE", interface, fields, above))
                case Enum() as enum:
                    found.append(_enum(enum))
        return found

    def loaders(self, shown: Sequence[Module]) -> list[dict[str, Any]]:
        """The fields of ``Query`` that give the object of an ID."""
        found = []
        for module in shown:
            for name, kind in (
                *((each.name, "OBJECT") for each in module.all(Object)),
                *((each.name, "INTERFACE") for each in module.all(Interface)),
            ):
                identity = _input("id", _required(_reference("ID", "SCALAR")))
                type_ = _required(_reference(name, kind))
                found.append(_told(f"load{name}FromID", f"Load a {name} from its ID.", type_, [identity]))
        return found

    def _composite(
        self, kind: str, type_: Object | Interface, fields: list[dict[str, Any]], interfaces: Sequence[str]
    ) -> dict[str, Any]:
        identity = _told(
            "id", f"A unique identifier for this {type_.name}.", _required(_reference("ID", "SCALAR")), []
        )
        listed = None
        if kind == "INTERFACE":
            possible = self._schema.possible.get(type_.name, frozenset())
            listed = [_reference(name, "OBJECT") for name in sorted(possible & self._shown)]
        return _type(
            kind,
            type_.name,
            type_.description,
            fields=[identity, *fields],
            interfaces=[_reference(name, "INTERFACE") for name in interfaces],
            possibleTypes=listed,
        )

    def function(self, function: Function) -> dict[str, Any]:
        """A function as a field."""
        arguments = [self._argument(each) for each in function.arguments]
        type_ = self._reference(function.returns.text)
        return _told(function.name, function.description, type_, arguments, function.deprecated)

    def _argument(self, argument: Argument) -> dict[str, Any]:
        text = argument.type.input_text
        type_ = self._reference(text.removesuffix("!") if argument.contextual else text)
        default = None if argument.default is None else _literal(json.loads(argument.default), argument)
        return _input(argument.name, type_, argument.description, default, argument.deprecated)

    def _reference(self, text: str) -> dict[str, Any]:
        return self._referred(type_ref(text))

    def _referred(self, type_: TypeRef) -> dict[str, Any]:
        if type_.item is not None:
            found: dict[str, Any] = {"kind": "LIST", "name": None, "ofType": self._referred(type_.item)}
        else:
            found = _reference(type_.name, self._schema.kind(type_.name))
        return _required(found) if type_.required else found


def _reference(name: str, kind: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "ofType": None}


def _required(type_: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "NON_NULL", "name": None, "ofType": type_}


def _type(kind: str, name: str, description: str, **parts: Any) -> dict[str, Any]:
    whole = dict.fromkeys(
        ("specifiedByURL", "fields", "inputFields", "interfaces", "enumValues", "possibleTypes")
    )
    return {"kind": kind, "name": name, "description": description or None} | whole | parts


def _described(name: str, description: str, deprecated: str | None, **more: Any) -> dict[str, Any]:
    """What fields, arguments and values of enums have all alike, and ``more``."""
    return {
        "name": name,
        "description": description or None,
        "isDeprecated": deprecated is not None,
        "deprecationReason": deprecated,
    } | more


def _told(
    name: str,
    description: str,
    type_: dict[str, Any],
    arguments: list[dict[str, Any]],
    deprecated: str | None = None,
) -> dict[str, Any]:
    return _described(name, description, deprecated, args=arguments, type=type_)


def _input(
    name: str,
    type_: dict[str, Any],
    description: str = "",
    default: str | None = None,
    deprecated: str | None = None,
) -> dict[str, Any]:
    return _described(name, description, deprecated, type=type_, defaultValue=default)


def _enum(enum: Enum) -> dict[str, Any]:
    values = [_described(each.name, each.description, each.deprecated) for each in enum.members]
    return _type("ENUM", enum.name, enum.description, enumValues=values)


def _literal(value: Any, argument: Argument) -> str:
    """A default value as GraphQL writes it."""
    named = argument.type.leaf.named
    if isinstance(named, Enum):
        return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)
    if isinstance(value, list):
        return f"[{', '.join(_literal(each, argument) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {json.dumps(each)}" for key, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
