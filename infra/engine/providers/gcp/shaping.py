"""From Pulumi's properties to Google's JSON and back, as a schema has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.engine.providers.gcp.schema import Field, Schema

DEFAULTS: Final = "__defaults"
_ZERO: Final[Mapping[str, Any]] = {"string": "", "int": 0, "float": 0, "bool": False}


def to_api(schema: Schema, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent for properties. Empty texts are left out: to Terraform they are as good as absent."""
    sent: dict[str, Any] = {}
    for name, field in schema.items():
        value = properties.get(name)
        if value is None or value == "" or field.computed or not field.sent:
            continue
        sent[field.api] = _sent(field, value)
    return sent


def _sent(field: Field, value: Any) -> Any:
    if field.many:
        return [to_api(field.fields, item or {}) for item in value]
    if field.kind == "object":
        one = to_api(field.fields, value)
        return [one] if "wrapped" in field.flags else one
    if field.kind == "int":
        return int(value)
    return value


def from_api(schema: Schema, answer: Mapping[str, Any], *, top: bool = True) -> dict[str, Any]:
    """The properties that an answer has; below the top level with zero values for those that it hasn't."""
    found: dict[str, Any] = {}
    for name, field in schema.items():
        if not field.sent:
            continue
        value = answer.get(field.api)
        if value is not None:
            found[name] = _found(field, value)
        elif not top or field.kind == "map":
            found[name] = _absent(field)
    return found


def _found(field: Field, value: Any) -> Any:
    if field.many:
        # What the API has one of, Terraform has a list of at times.
        items = [value] if isinstance(value, dict) else value
        return [from_api(field.fields, item, top=False) for item in items]
    if field.kind == "object":
        one = (value[0] if value else None) if "wrapped" in field.flags else value
        return None if one is None else from_api(field.fields, one, top=False)
    if field.kind == "int":
        # Google writes 64-bit integers as text.
        return int(value)
    if field.kind == "string" and not isinstance(value, str):
        return str(value)
    return value


def _absent(field: Field) -> Any:
    if field.kind == "object":
        return None
    if field.kind == "map":
        return {}
    if field.kind == "string" and field.default is not None:
        # Google leaves out what an enumeration starts with.
        return field.default
    return _ZERO.get(field.kind, []) if field.kind in _ZERO else []


def plain(value: Any) -> Any:
    """A value without the bookkeeping of defaults."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name != DEFAULTS}
    return [plain(item) for item in value] if isinstance(value, list) else value
