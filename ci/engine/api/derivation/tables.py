"""Writes a schema down as JSON in two forms: what the engine looks up, and what introspection answers."""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLInputType, GraphQLSchema, build_schema, introspection_from_schema
from graphql import parse_value as parse_literal
from graphql.language import parse_type
from graphql.type import assert_input_type
from graphql.utilities import type_from_ast, value_from_ast

from ci.engine.api.derivation.definitions import Argument, Definitions, Enum, Object
from ci.engine.api.derivation.sdl import sdl


def table(definitions: Definitions, schema: GraphQLSchema) -> dict[str, Any]:
    """Return the form that ``Schema.from_table`` reads."""
    return {
        "objects": {o.name: _object(o, schema) for o in definitions.objects},
        "interfaces": {i.name: _object(i, schema) for i in definitions.interfaces},
        "enums": {e.name: _meanings(e) for e in definitions.enums},
        "inputs": {i.name: _arguments(i.fields, schema) for i in definitions.inputs},
        "scalars": [s.name for s in definitions.scalars],
    }


def introspection(schema: GraphQLSchema) -> dict[str, Any]:
    """Return all that the standard introspection query may ask for."""
    return dict(
        introspection_from_schema(
            schema, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
        )
    )


def built(definitions: Definitions) -> GraphQLSchema:
    """Return the schema as graphql-core has it, checked for consistency."""
    return build_schema(sdl(definitions))


def _object(object_: Object, schema: GraphQLSchema) -> dict[str, Any]:
    fields = {
        f.name: _present(type=f.type, arguments=_arguments(f.arguments, schema), expects=f.expects)
        for f in object_.fields
    }
    return {"interfaces": object_.interfaces, "fields": fields}


def _arguments(arguments: Iterable[Argument], schema: GraphQLSchema) -> dict[str, Any]:
    found = {}
    for a in arguments:
        found[a.name] = _present(type=a.type, expects=a.expects)
        if a.default is not None:
            found[a.name]["default"] = value_from_ast(parse_literal(a.default), _input_type(a.type, schema))
    return found


def _input_type(text: str, schema: GraphQLSchema) -> GraphQLInputType:
    return assert_input_type(type_from_ast(schema, parse_type(text)))


def _meanings(enum: Enum) -> dict[str, str]:
    first: dict[str, str] = {}
    return {v.name: first.setdefault(v.value, v.name) for v in enum.values}


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
