"""The filter of Secret Manager's list methods: terms that all have to hold.

https://cloud.google.com/secret-manager/docs/filtering; NOT, OR and parentheses are refused.
"""

import re
from collections.abc import Callable
from typing import Any

from infra.local.api.errors import invalid

_TERM = re.compile(r'(?:([\w.-]+)\s*(:|=|!=)\s*)?("[^"]*"|[^\s"()]+)(?:\s+AND(?=\s)|\s*$)?\s*')
_FIELDS = ("name", "state", "labels", "annotations")


def matcher(text: str) -> Callable[[Any], bool]:
    """Whether a secret or a version is meant by a filter. Raises ApiError, 400."""
    terms, at = [], 0
    while at < len(text.strip()):
        found = _TERM.match(text.strip(), at)
        if found is None or found[3] in {"OR", "NOT", "AND"}:
            raise invalid("Invalid list filter.", [("filter", f"Cannot parse filter: {text[:200]}")])
        field, operator, value = found[1] or "name", found[2] or ":", found[3].strip('"')
        if field.partition(".")[0] not in _FIELDS:
            raise invalid("Invalid list filter.", [("filter", f"Unsupported field in filter: {field[:200]}")])
        terms.append((field, operator, value))
        at = found.end()
    return lambda item: all(_holds(item, *term) for term in terms)


def _holds(item: Any, field: str, operator: str, value: str) -> bool:
    kind, _, key = field.partition(".")
    if kind == "state":
        actual: str | None = item.state.name if hasattr(item, "state") else None
    elif kind == "name":
        actual = item.name
    else:
        entries = dict(getattr(item, kind, {}))
        if not key:
            return any(value in {name, "*"} for name in entries) != (operator == "!=")
        actual = entries.get(key)
    if actual is None:
        return operator == "!="
    if operator == ":":
        return value == "*" or value.lower() in actual.lower()
    return (actual == value) == (operator == "=")
