"""JSON messages against the schemas of a discovery document, with the complaints of Google's front end.

Formats: https://developers.google.com/discovery/v1/type-format
"""

import base64
import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from infra.local.api.errors import Violation

Json = dict[str, Any]
_LONGEST_ECHO = 80
_LONGEST_NAME, _LONGEST_TEXT = 300, 1000
_MOST_VIOLATIONS = 100  # that one answer tells
_MAX_DEPTH = 100
_BITS = {"int32": (31, 31), "uint32": (0, 32), "int64": (63, 63), "uint64": (0, 64)}  # below zero, above
_INTEGER = re.compile(r"-?\d{1,20}")
_DURATION = re.compile(r"-?\d{1,12}(?:\.\d{1,9})?s")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")
_TYPES = {
    "google-datetime": "type.googleapis.com/google.protobuf.Timestamp",
    "date-time": "type.googleapis.com/google.protobuf.Timestamp",
    "google-duration": "type.googleapis.com/google.protobuf.Duration",
    "google-fieldmask": "type.googleapis.com/google.protobuf.FieldMask",
    "byte": "TYPE_BYTES",
    "boolean": "TYPE_BOOL",
    "integer": "TYPE_INT32",
    "number": "TYPE_DOUBLE",
    "string": "TYPE_STRING",
}


class Schemas:
    """The schemas of a document by name."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self.document = document

    def check(self, name: str, value: Any, at: str = "") -> tuple[Json, list[Violation]]:
        """The message as the schema has it, and what is wrong with it; `at` is its place in the request.

        Fields that only the server sets are left out, and so are nulls; numbers are written as the format
        has them (64 bits: as text).
        """
        check = _Check(self.document)
        made = check.value({"$ref": name}, value, at)
        return (made if isinstance(made, dict) else {}), check.found

    def parse(self, kind: Json, text: str, at: str) -> tuple[Any, list[Violation]]:
        """The value of a query parameter of a kind."""
        value: Any = text
        if kind["type"] == "boolean":
            value = {"true": True, "false": False, "1": True, "0": False, "": True}.get(text.lower(), text)
        elif kind["type"] in {"integer", "number"} and not text:
            value = 0
        check = _Check(self.document)
        return check.value({key: kind[key] for key in kind if key != "readOnly"}, value, at), check.found

    def names(self, schema: str, path: str) -> bool:
        """Whether a path ("bindings.role") leads to a field of a message, whatever lists are on its way."""
        node: Json = {"$ref": schema}
        for part in path.split("."):
            node = self._resolve(node)
            while node.get("type") == "array":
                node = self._resolve(node["items"])
            if node.get("type") == "any" or "additionalProperties" in node:
                return True
            inner = node.get("properties", {}).get(part) if part != "*" else {"type": "any"}
            if inner is None:
                return False
            node = inner
        return True

    def _resolve(self, node: Json) -> Json:
        return self.document[node["$ref"]] if "$ref" in node else node


@functools.cache
def snake(name: str) -> str:
    """The name in Python and in .proto files of one in camel case."""
    return re.sub(
        r"(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])", lambda letter: f"_{letter[0]}", name
    ).lower()


class _Check:
    """One walk through a message; what is wrong is in `found`."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._document = document
        self._depth = 0
        self.found: list[Violation] = []

    def value(self, schema: Json, value: Any, at: str) -> Any:
        """The value as its schema has it."""
        kind = self._document[schema["$ref"]] if "$ref" in schema else schema
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            text = "Invalid JSON payload received. Message too deep. Max recursion depth reached."
            self._complain(at, text)
            made = None
        elif kind.get("type") == "any":
            made = value
        elif kind.get("type") == "array":
            made = self._array(kind, value, at)
        elif kind.get("type") == "object":
            made = self._object(kind, value, at)
        elif isinstance(value, list):
            self._unknown_name(at, "Proto field is not repeating, cannot start list.")
            made = None
        else:
            made = self._scalar(kind, value, at)
        self._depth -= 1
        return made

    def _array(self, kind: Json, value: Any, at: str) -> Any:
        if not isinstance(value, list):
            self._wrong(kind["items"], value, at)
            return []
        return [self.value(kind["items"], each, f"{at}[{index}]") for index, each in enumerate(value)]

    def _object(self, kind: Json, value: Any, at: str) -> Any:
        if isinstance(value, list):
            self._unknown_name(at, "Proto field is not repeating, cannot start list.")
            return {}
        if not isinstance(value, dict):
            self._wrong(kind, value, at)
            return {}
        if "additionalProperties" in kind:
            each = kind["additionalProperties"]
            return {key: self.value(each, inner, f"{at}[{key}]") for key, inner in value.items()}
        properties = kind.get("properties", {})
        made = {}
        for key, inner in value.items():
            name = key if key in properties else _spellings(frozenset(properties)).get(key, "")
            if not name:
                place = f" at '{at}'" if at else ""
                shown = key[:_LONGEST_NAME]
                text = f'Invalid JSON payload received. Unknown name "{shown}"{place}: Cannot find field.'
                self._complain(at, text)
            elif inner is not None and not properties[name].get("readOnly"):
                made[name] = self.value(properties[name], inner, f"{at}.{snake(name)}" if at else snake(name))
        return made

    def _scalar(self, kind: Json, value: Any, at: str) -> Any:
        form = kind.get("format", "")
        if "enum" in kind:
            return self._known(kind, _enum(kind["enum"], value), value, at)
        if form in _BITS:
            number = _integer(value, *_BITS[form])
            made: Any = str(number) if number is not None and kind["type"] == "string" else number
        else:
            made = _READ.get(form, _READ[kind["type"]])(value)
        return self._known(kind, made, value, at)

    def _known(self, kind: Json, made: Any, value: Any, at: str) -> Any:
        if made is None:
            self._wrong(kind, value, at)
        return made

    def _wrong(self, schema: Json, value: Any, at: str) -> None:
        kind = self._document[schema["$ref"]] if "$ref" in schema else schema
        if kind.get("type") == "object" and "additionalProperties" in kind:
            name = "Map"
        elif kind.get("type") == "object" or "enum" in kind:
            name = f"type.googleapis.com/{kind.get('id') or at.rpartition('.')[2]}"
        elif kind.get("format") in _BITS:
            name = f"TYPE_{kind['format'].upper()}"
        else:
            name = _TYPES.get(kind.get("format", ""), _TYPES.get(kind.get("type", ""), "TYPE_MESSAGE"))
        self._complain(at, f"Invalid value at '{at}' ({name}), {json.dumps(value)[:_LONGEST_ECHO]}")

    def _unknown_name(self, at: str, reason: str) -> None:
        above, _, name = at.rpartition(".")
        place = f" at '{above}'" if above else ""
        self._complain(at, f'Invalid JSON payload received. Unknown name "{name}"{place}: {reason}')

    def _complain(self, at: str, text: str) -> None:
        if len(self.found) < _MOST_VIOLATIONS:
            self.found.append((at[:_LONGEST_NAME], text[:_LONGEST_TEXT]))


@functools.lru_cache(maxsize=1024)
def _spellings(properties: frozenset[str]) -> Mapping[str, str]:
    """A message's fields by their names in .proto files, which are understood too."""
    return {snake(name): name for name in properties}


def _enum(names: list[str], value: Any) -> str | None:
    if isinstance(value, str) and value in names:
        return value
    number = _integer(value, 0, 31)
    return names[number] if number is not None and 0 <= number < len(names) else None


def _integer(value: Any, below: int, above: int) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(1 << below if below else 0) <= value < 1 << above else None


def _number(value: Any) -> float | str | None:
    if value in {"NaN", "Infinity", "-Infinity"} if isinstance(value, str) else False:
        return str(value)
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _bytes(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    plain = value.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return None
    return base64.b64encode(data).decode()


def _timestamp(value: Any) -> str | None:
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", value).upper())
    except ValueError:
        return None
    return value


def _duration(value: Any) -> str | None:
    return value if isinstance(value, str) and _DURATION.fullmatch(value) else None


_READ: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "integer": lambda value: _integer(value, 31, 31),
    "number": _number,
    "byte": _bytes,
    "google-datetime": _timestamp,
    "date-time": _timestamp,
    "google-duration": _duration,
}
