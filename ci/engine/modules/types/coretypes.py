"""Dagger's own types as type definitions, like those of modules: read from the installed SDK's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ci.engine.api.schema import MISSING, ArgumentSpec, FieldSpec, Schema, TypeRef
from ci.engine.modules.types.kinds import BUILT_IN, ENUM, INPUT, INTERFACE, LIST, OBJECT, SCALAR
from ci.engine.modules.types.typedefs import (
    Argument,
    Enum,
    Field,
    Function,
    Input,
    Interface,
    Member,
    Object,
    Scalar,
    TypeDef,
    referring,
)

_KINDS = {name: kind for kind, name in BUILT_IN.items()}
_NAMED = {"OBJECT": OBJECT, "INTERFACE": INTERFACE, "ENUM": ENUM, "SCALAR": SCALAR}


def typedefs(schema: Schema, document: dict[str, Any]) -> Iterator[TypeDef]:
    """All types of a schema; their descriptions are in its introspection ``document``."""
    told = {each["name"]: each for each in document["__schema"]["types"]}
    reader = _Reader(schema)
    for name, spec in schema.objects.items():
        functions = tuple(reader.functions(spec.fields.values(), told.get(name, {})))
        description = _text(told.get(name, {}))
        yield TypeDef(OBJECT, named=Object(name, name, description, functions=functions))
    for name, spec in schema.interfaces.items():
        functions = tuple(reader.functions(spec.fields.values(), told.get(name, {})))
        description = _text(told.get(name, {}))
        yield TypeDef(INTERFACE, named=Interface(name, name, description, functions))
    for name in schema.enums:
        about = told.get(name, {})
        members = tuple(
            Member(each["name"], each["name"], each["name"], _text(each))
            for each in about.get("enumValues") or ()
        )
        yield TypeDef(ENUM, named=Enum(name, name, _text(about), members))
    for name, arguments in schema.inputs.items():
        fields = tuple(Field(a.name, a.name, reader.type(a.type, a.expects)) for a in arguments.values())
        yield TypeDef(INPUT, named=Input(name, fields, _text(told.get(name, {}))))
    for name in sorted(schema.scalars - _KINDS.keys()):
        yield TypeDef(SCALAR, named=Scalar(name, name, _text(told.get(name, {}))))


class _Reader:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def functions(self, fields: Any, about: dict[str, Any]) -> Iterator[Function]:
        """The fields of a type as functions; every object has an ID, so that is none."""
        told = {each["name"]: each for each in about.get("fields") or ()}
        spec: FieldSpec
        for spec in fields:
            if spec.name == "id":
                continue
            known = told.get(spec.name, {})
            below = {each["name"]: each for each in known.get("args") or ()}
            arguments = tuple(self._argument(a, below.get(a.name, {})) for a in spec.arguments.values())
            yield Function(
                spec.name,
                spec.name,
                self.type(spec.type, None),
                _text(known),
                arguments,
                deprecated=known.get("deprecationReason"),
            )

    def type(self, type_: TypeRef, expects: str | None) -> TypeDef:
        """A type as a field or an argument has it; an argument that is an object's ID is that object."""
        optional = not type_.required
        if type_.item is not None:
            return TypeDef(LIST, optional, self.type(type_.item, expects))
        name = type_.name
        if name == "ID" and expects:
            return referring(_NAMED[self._schema.kind(expects)], expects, optional=optional)
        if name in _KINDS:
            return TypeDef(_KINDS[name], optional)
        if name in self._schema.inputs:
            return TypeDef(INPUT, optional, named=Input(name))
        return referring(_NAMED[self._schema.kind(name)], name, optional=optional)

    def _argument(self, argument: ArgumentSpec, about: dict[str, Any]) -> Argument:
        default = None if argument.default is MISSING else json.dumps(argument.default)
        return Argument(
            argument.name,
            argument.name,
            self.type(argument.type, argument.expects),
            _text(about),
            default,
            deprecated=about.get("deprecationReason"),
        )


def _text(about: dict[str, Any]) -> str:
    return about.get("description") or ""
