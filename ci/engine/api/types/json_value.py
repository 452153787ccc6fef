"""``JSONValue``: a JSON document as an object, to be taken apart and put together."""

import json
from dataclasses import dataclass
from typing import Any

from ci.engine.api.registry import Call, serves
from ci.engine.errors import EngineError
from ci.engine.graph.texts.document import decode, encode

_KINDS = {dict: "object", list: "array", str: "string", float: "number", bool: "bool"}


@dataclass(frozen=True, slots=True)
class JSONValue:
    """A JSON document, in its encoded form."""

    text: str

    @property
    def decoded(self) -> Any:
        """The document."""
        return decode(self.text)


def encoded(document: Any) -> JSONValue:
    """Return a document as a value."""
    return JSONValue(encode(document))


def parsed(text: str) -> JSONValue:
    """A document in its encoded form as a value.

    Raises:
        EngineError: it is no JSON.
    """
    try:
        decode(text)
    except ValueError as error:
        raise EngineError(f"invalid JSON: {error}") from None
    return JSONValue(text)


def _unfit(value: JSONValue, wanted: str) -> EngineError:
    document = value.decoded
    kind = _KINDS[type(document)]
    shown = f"number {value.text.strip()}" if kind == "number" and wanted == "int" else kind
    return EngineError(f"json: cannot unmarshal {shown} into Go value of type {wanted}")


@serves("Query", field="json")
def empty(_call: Call, _parent: object) -> JSONValue:
    """The JSON value null, to start from."""
    return encoded(None)


@serves("JSONValue")
def contents(_call: Call, parent: JSONValue, *, pretty: bool = False, indent: str = "  ") -> str:
    """The encoded document."""
    return encode(parent.decoded, indent) if pretty else parent.text


@serves("JSONValue")
def with_contents(_call: Call, _parent: JSONValue, *, contents: str) -> JSONValue:  # pylint: disable=redefined-outer-name
    """A value of the given document."""
    return parsed(contents)


@serves("JSONValue")
def new_string(_call: Call, _parent: JSONValue, *, value: str) -> JSONValue:
    """A string."""
    return encoded(value)


@serves("JSONValue")
def new_integer(_call: Call, _parent: JSONValue, *, value: int) -> JSONValue:
    """An integer."""
    return encoded(value)


@serves("JSONValue")
def new_boolean(_call: Call, _parent: JSONValue, *, value: bool) -> JSONValue:
    """A boolean."""
    return encoded(value)


@serves("JSONValue")
def as_string(_call: Call, parent: JSONValue) -> str:
    """The value of a JSON string; "" for null."""
    document = parent.decoded
    if isinstance(document, str):
        return document
    if document is not None:
        raise _unfit(parent, "string")
    return ""


@serves("JSONValue")
def as_integer(_call: Call, parent: JSONValue) -> int:
    """The value of a JSON integer; 0 for null."""
    document = json.loads(parent.text)
    if isinstance(document, int) and not isinstance(document, bool):
        return document
    if document is not None:
        raise _unfit(parent, "int")
    return 0


@serves("JSONValue")
def as_boolean(_call: Call, parent: JSONValue) -> bool:
    """The value of a JSON boolean."""
    document = parent.decoded
    if not isinstance(document, bool):
        raise EngineError("value is not a boolean")
    return document


@serves("JSONValue")
def as_array(_call: Call, parent: JSONValue) -> list[JSONValue]:
    """The items of a JSON array."""
    document = parent.decoded
    if not isinstance(document, list):
        raise EngineError("value is not an array")
    return [encoded(item) for item in document]


@serves("JSONValue", field="fields")
def field_names(_call: Call, parent: JSONValue) -> list[str]:
    """The names of a JSON object's fields."""
    document = parent.decoded
    if not isinstance(document, dict):
        raise EngineError("value is not an object")
    return list(document)


@serves("JSONValue", field="field")
def field_at(_call: Call, parent: JSONValue, *, path: list[str]) -> JSONValue:
    """What is found by following ``path`` into nested objects."""
    current = parent.decoded
    for name in path:
        if not isinstance(current, dict):
            raise EngineError(f"can't lookup field '{name}' in non-object value")
        if name not in current:
            raise EngineError(f"no such field: '{name}'")
        current = current[name]
    return encoded(current)


@serves("JSONValue")
def with_field(_call: Call, parent: JSONValue, *, path: list[str], value: JSONValue) -> JSONValue:
    """The document with a field set; objects on the way to it are made."""
    root = parent.decoded
    if not isinstance(root, dict):
        root = {}
    current = root
    for name in path[:-1]:
        if not isinstance(current.get(name), dict):
            current[name] = {}
        current = current[name]
    if path:
        current[path[-1]] = value.decoded
    return encoded(root)
