"""Values that are written differently and mean the same; and what inputs would be for what is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from infra.engine.providers.gcp.comparing import empty, revealed
from infra.engine.providers.gcp.schema import Schema
from infra.engine.providers.gcp.shaping import DEFAULTS
from infra.engine.values import Properties, Secret

_LINKS: Final = frozenset({"name", "repository", "secretId", "secret", "bucket"})
"""Properties at the top that may be a short name or a whole one."""
_UNITS: Final[Mapping[str, float]] = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
}


def same(path: str, old: Any, new: Any) -> bool:
    """Whether two values of a property mean the same."""
    if path in _LINKS and isinstance(old, str) and isinstance(new, str):
        return old.rpartition("/")[2] == new.rpartition("/")[2]
    if path.endswith("resources.limits") and isinstance(old, dict) and isinstance(new, dict):
        # A limit that is left out is the cloud's to fill in.
        return all(
            _quantity(old.get(key)) == _quantity(value) for key, value in new.items() if key != DEFAULTS
        )
    return False


def _quantity(value: Any) -> Any:
    """Kubernetes' quantities as numbers: ``1000m`` is ``1``."""
    found = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", value) if isinstance(value, str) else None
    if found is None or found[2] not in _UNITS:
        return value
    return float(found[1]) * _UNITS[found[2]]


def inputs(schema: Schema, before: Properties, outputs: Properties) -> Properties:
    """The inputs of a resource as it was read: those that it had, as they are now; or all, for an import."""
    return _imported(schema, outputs) if not before else _refreshed(schema, before, outputs)


def _imported(schema: Schema, outputs: Mapping[str, Any]) -> Properties:
    found: Properties = {DEFAULTS: []}
    for name, field in schema.items():
        value = outputs.get(name)
        if field.computed or value is None or (empty(value) and not field.required):
            continue
        if field.many:
            found[name] = [_imported(field.fields, item) for item in value]
        elif field.kind == "object":
            found[name] = _imported(field.fields, value)
        elif value != field.default:
            found[name] = value
    return found


def _refreshed(schema: Schema, before: Mapping[str, Any], outputs: Mapping[str, Any]) -> Properties:
    now: Properties = {}
    for name, value in before.items():
        field = schema.get(name)
        if name == DEFAULTS or field is None or name not in outputs:
            now[name] = value
            continue
        current = outputs[name]
        if same(name, current, revealed(value)):
            now[name] = value
        elif isinstance(value, Secret):
            now[name] = Secret(current)
        elif field.many and isinstance(value, list) and isinstance(current, list):
            now[name] = _refreshed_items(field.fields, value, current)
        elif field.kind == "object" and isinstance(value, dict) and isinstance(current, dict):
            now[name] = _refreshed(field.fields, value, current)
        elif current is not None:
            now[name] = current
    return now


def _refreshed_items(schema: Schema, before: list[Any], current: list[Any]) -> list[Any]:
    """Items at the same place are taken for the same; further ones are as an import would have them."""
    paired = [
        _refreshed(schema, item, now) if isinstance(item, dict) else now
        for item, now in zip(before, current, strict=False)
    ]
    return [*paired, *(_imported(schema, item) for item in current[len(before) :])]
