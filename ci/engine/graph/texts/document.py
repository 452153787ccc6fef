"""JSON documents as Go's encoding/json writes them: sorted keys, numbers as floats, ``<>&`` escaped."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_ESCAPED = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def decode(text: str) -> Any:
    """The document that ``text`` is; its numbers are floats.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(text, parse_int=float, parse_constant=_refuse)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def encode(document: Any, indent: str | None = None, lead: str = "\n") -> str:
    """The text of a document, on one line or with each level set in by ``indent``."""
    match document:
        case dict() | list() if document:
            inner = "" if indent is None else lead + indent
            outer = "" if indent is None else lead
            if isinstance(document, list):
                items = [encode(item, indent, inner) for item in document]
                return f"[{inner}{f',{inner}'.join(items)}{outer}]"
            colon = ":" if indent is None else ": "
            pairs = [encode(key) + colon + encode(document[key], indent, inner) for key in sorted(document)]
            return f"{{{inner}{f',{inner}'.join(pairs)}{outer}}}"
        case float():
            return _number(document)
        case str():
            return json.dumps(document, ensure_ascii=False).translate(_ESCAPED)
    return json.dumps(document)


def _number(value: float) -> str:
    if value and not 1e-6 <= abs(value) < 1e21:
        mantissa, _, exponent = repr(value).partition("e")
        digits = exponent.lstrip("+-").lstrip("0")
        return f"{mantissa.removesuffix('.0')}e{'-' if exponent.startswith('-') else '+'}{digits}"
    return format(Decimal(repr(value)), "f").removesuffix(".0")
