"""What is wrong with inputs, and their defaults: Pulumi's ``check``, as the Terraform bridge does it.

At every level of objects the names of defaulted properties are kept in ``__defaults``, so that a default
which came from nowhere but us (a random name) is kept from one update to the next.
Source: pulumi-terraform-bridge, pkg/tfbridge/schema.go.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.engine.providers.contract import Checked, Failure
from infra.engine.providers.gcp.schema import Field, Schema
from infra.engine.providers.gcp.shaping import DEFAULTS
from infra.engine.values import Properties, Secret, Unknown

_NUMBERS: Final = {"int": "a whole number", "float": "a number"}


@dataclass(frozen=True, slots=True)
class AutoName:
    """A property that is named after the resource when the user doesn't name it."""

    property: str
    longest: int
    digits: int = 7


def check(
    schema: Schema, olds: Properties, news: Properties, *, name: str, seed: bytes, auto: AutoName | None
) -> Checked:
    """Inputs with defaults, and each thing that is wrong with them."""
    inputs, failures = _object(schema, news, "")
    if auto is not None and inputs.get(auto.property) is None:
        defaulted = [*inputs[DEFAULTS], auto.property]
        kept = olds.get(auto.property) if auto.property in _defaulted(olds) else None
        inputs = {**inputs, auto.property: kept or _random(name, auto, seed), DEFAULTS: sorted(defaulted)}
        failures = [failure for failure in failures if failure.property != auto.property]
    return Checked(inputs, tuple(failures))


def _object(schema: Schema, given: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[Failure]]:
    failures = list(_unknown_names(schema, given, path))
    inputs: dict[str, Any] = {}
    defaulted: list[str] = []
    for name, field in schema.items():
        where = f"{path}.{name}" if path else name
        value = given.get(name)
        if value is None:
            if field.default is not None and not field.computed:
                inputs[name] = field.default
                defaulted.append(name)
            elif field.required:
                failures.append(Failure(where, f"Missing required argument: {where} must be set."))
            continue
        if field.computed:
            failures.append(Failure(where, f"{where} is for the cloud to say; it cannot be set."))
            continue
        inputs[name], wrong = _value(field, value, where)
        failures += wrong
    return {DEFAULTS: sorted(defaulted), **inputs}, failures


def _value(field: Field, value: Any, path: str) -> tuple[Any, list[Failure]]:
    if isinstance(value, Unknown):
        return value, []
    if isinstance(value, Secret):
        inner, failures = _value(field, value.element, path)
        return Secret(inner), failures
    if field.many:
        return _items(field, value, path)
    if field.kind == "object":
        if not isinstance(value, dict):
            return value, [Failure(path, f"{path} is {_shown(value)}; it must be an object.")]
        return _object(field.fields, value, path)
    return _scalar(field, value, path)


def _items(field: Field, value: Any, path: str) -> tuple[Any, list[Failure]]:
    if not isinstance(value, list):
        return value, [Failure(path, f"{path} is {_shown(value)}; it must be a list of objects.")]
    items: list[Any] = []
    failures: list[Failure] = []
    for number, item in enumerate(value):
        where = f"{path}[{number}]"
        if isinstance(item, Secret | Unknown):
            items.append(item)
        elif isinstance(item, dict):
            checked, wrong = _object(field.fields, item, where)
            items.append(checked)
            failures += wrong
        else:
            failures.append(Failure(where, f"{where} is {_shown(item)}; it must be an object."))
    return items, failures


def _scalar(field: Field, value: Any, path: str) -> tuple[Any, list[Failure]]:
    """A value of the property's kind; text of numbers and booleans is read as Terraform reads it."""
    match field.kind:
        case "map" if not isinstance(value, dict):
            expected = "an object of texts"
        case "list" | "set" if not isinstance(value, list):
            expected = "a list of texts"
        case "string" if isinstance(value, dict | list):
            expected = "a text"
        case "bool" if not isinstance(value, bool):
            if value in {"true", "false"}:
                return value == "true", []
            expected = "true or false"
        case "int" | "float" if isinstance(value, bool) or _number(value) is None:
            expected = _NUMBERS[field.kind]
        case "int" if _number(value) != int(_number(value) or 0):
            expected = _NUMBERS["int"]
        case "string" if not isinstance(value, str):
            return (str(value).lower() if isinstance(value, bool) else f"{value:g}"), []
        case "int" | "float":
            return _number(value), []
        case _:
            return value, []
    shown = "a value that is not shown" if field.secret else _shown(value)
    return value, [Failure(path, f"{path} is {shown}; it must be {expected}.")]


def _number(value: Any) -> float | None:
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _unknown_names(schema: Schema, given: Mapping[str, Any], path: str) -> Iterator[Failure]:
    for name in given:
        if name in schema or name.startswith("__"):
            continue
        near = difflib.get_close_matches(name, schema, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        where = f"{path}.{name}" if path else name
        yield Failure(where, f"{where} is not a property that is served here.{hint}")


def _defaulted(olds: Properties) -> list[Any]:
    names = olds.get(DEFAULTS)
    return names if isinstance(names, list) else []


def _random(name: str, auto: AutoName, seed: bytes) -> str:
    digits = hashlib.sha256(seed or name.encode()).hexdigest()[: auto.digits]
    return f"{name[: auto.longest - auto.digits - 1]}-{digits}".lower()


def _shown(value: Any) -> str:
    return (
        repr(value)
        if not isinstance(value, dict | list)
        else ("a list" if isinstance(value, list) else "an object")
    )
