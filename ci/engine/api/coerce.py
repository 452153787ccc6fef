"""Turns argument values, written in a query or sent as variables, into what resolvers take.

As lenient as Dagger's engine, and no more: an enum may be quoted, a single value may stand for a list of one.
"""

import re
from collections.abc import Mapping
from typing import Any

from graphql.language import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from ci.engine.api.schema import MISSING, ArgumentSpec, Schema, TypeRef
from ci.engine.errors import EngineError

SURROGATES = re.compile("[\ud800-\udfff]")
MOST_DIGITS = 20  # of an integer: 64 bits and a sign


class CoercionError(EngineError):
    """An argument's value is not of the argument's type."""


class _Name(str):
    """An unquoted name in a query: a value of an enum."""

    __slots__ = ()


def plain(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """Return a literal as a Python value; MISSING for a variable that was not sent."""
    match node:
        case VariableNode():
            return variables.get(node.name.value, MISSING)
        case ListValueNode(values=items):
            return [None if (v := plain(i, variables)) is MISSING else v for i in items]
        case ObjectValueNode(fields=fields):
            values = {f.name.value: plain(f.value, variables) for f in fields}
            return {name: value for name, value in values.items() if value is not MISSING}
        case _:
            return _leaf(node)


def _leaf(node: ValueNode) -> Any:
    match node:
        case StringValueNode(value=text):
            return text
        case BooleanValueNode(value=flag):
            return flag
        case IntValueNode(value=digits) if len(digits) <= MOST_DIGITS:
            return int(digits)
        case FloatValueNode(value=digits):
            return float(digits)
        case EnumValueNode(value=name):
            return _Name(name)
        case NullValueNode():
            return None
        case _:
            raise CoercionError("an integer is too large")


def coerced(value: Any, type_: TypeRef, schema: Schema) -> Any:
    """Return ``value`` as one of ``type_``.

    Raises:
        CoercionError: it is not; the message says what was expected.
    """
    if value is None:
        if type_.required:
            raise CoercionError(f'expected a value of type "{type_}", found null')
        return None
    if type_.item is not None:
        items = value if isinstance(value, list) else [value]
        return [coerced(item, type_.item, schema) for item in items]
    if type_.name in schema.enums:
        return _enum(value, type_, schema.enums[type_.name])
    if type_.name in schema.inputs:
        return _input(value, type_, schema.inputs[type_.name], schema)
    return _scalar(value, type_)


def arguments(
    given: Mapping[str, Any], specs: Mapping[str, ArgumentSpec], schema: Schema, where: str
) -> dict[str, Any]:
    """Return arguments under their resolver's names, defaults filled in; null is the same as not given.

    Raises:
        CoercionError: one is unknown, missing or of the wrong type; the message names it and ``where``.
    """
    for name in given:
        if name not in specs:
            raise CoercionError(f'Unknown argument "{name}" on {where}.')
    values = {}
    for name, spec in specs.items():
        value = given.get(name, MISSING)
        if value is MISSING or (value is None and not spec.type.required):
            if spec.required:
                raise CoercionError(
                    f'{where} needs argument "{name}" of type "{spec.type}", which was not given.'
                )
            if spec.default is not MISSING:
                values[spec.parameter] = spec.default
            continue
        try:
            values[spec.parameter] = coerced(value, spec.type, schema)
        except CoercionError as error:
            raise CoercionError(f'{where}: argument "{name}": {error.message}') from None
    return values


def _enum(value: Any, type_: TypeRef, names: Mapping[str, str]) -> str:
    if isinstance(value, str) and value in names:
        return names[value]
    raise CoercionError(f'"{value}" is not a {type_.name}; expected one of {", ".join(names)}')


def _input(value: Any, type_: TypeRef, fields: Mapping[str, ArgumentSpec], schema: Schema) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(value, type_)
    return arguments(value, fields, schema, type_.name)


def _scalar(value: Any, type_: TypeRef) -> Any:
    match type_.name, value:
        case "Boolean", bool():
            return value
        case "Int", int() if not isinstance(value, bool):
            return value
        case "Float", int() | float() if not isinstance(value, bool):
            return float(value)
        case "Boolean" | "Int" | "Float", _:
            raise _unexpected(value, type_)
        case _, str() if not isinstance(value, _Name):
            return whole(value)
        case _:
            raise _unexpected(value, type_)


def whole(text: str) -> str:
    """Return a text with U+FFFD in place of each half of a surrogate pair, which could not be encoded."""
    return text if text.isascii() else SURROGATES.sub("\ufffd", text)


def _unexpected(value: Any, type_: TypeRef) -> CoercionError:
    return CoercionError(f'expected a value of type "{type_}", found {_shown(value)}')


def _shown(value: Any) -> str:
    kinds = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return f'"{value}"' if isinstance(value, _Name) else kinds.get(type(value), "something else")
