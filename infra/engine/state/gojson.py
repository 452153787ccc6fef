"""JSON as Go's encoding/json writes it, so that checkpoints from here and from Pulumi are the same.

Differences to Python's: whole numbers have no ``.0``, exponents start at 1e21 and 1e-6, U+2028 and U+2029 are
escaped always, and ``<``, ``>`` and ``&`` where asked (encoding/json, HTMLEscape).
"""

from __future__ import annotations

import json
import math
from typing import Any

_ESCAPES = {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_MARK = "\ue000gojson:"


def dumps(value: Any, *, indent: int | None = None, escape_html: bool = False) -> str:
    """``value`` as Go would write it: compact, or over lines with ``indent`` spaces a level."""
    odd: list[str] = []
    plain = _plain(value, odd)
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(plain, ensure_ascii=False, indent=indent, separators=separators)
    for number in odd:
        text = text.replace(f'"{_MARK}{number}"', number)
    for escapes in (_ESCAPES, _HTML) if escape_html else (_ESCAPES,):
        for char, escape in escapes.items():
            if char in text:
                text = text.replace(char, escape)
    return text


def _plain(value: Any, odd: list[str]) -> Any:
    if isinstance(value, float):
        return _number(value, odd)
    if isinstance(value, dict):
        return {key: _plain(item, odd) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, odd) for item in value]
    return value


def _number(value: float, odd: list[str]) -> Any:
    size = abs(value)
    if size < 1e21 and value.is_integer():
        return int(value) if value or math.copysign(1, value) > 0 else _mark("-0", odd)
    if 1e-4 <= size < 1e16:  # both write these alike
        return value
    digits, _, exponent = repr(value).partition("e")
    if 1e-6 <= size < 1e-4:
        return _mark(f"{value:.{len(digits.replace('.', '').lstrip('-')) - 1 - int(exponent)}f}", odd)
    return _mark(f"{digits.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}", odd)


def _mark(number: str, odd: list[str]) -> str:
    odd.append(number)
    return _MARK + number
