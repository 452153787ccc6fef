"""``JSONValue``: a JSON document as an object, to be taken apart and put together."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from ci.engine.api.registry import Call, serves
from ci.engine.errors import EngineError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JSONValue:
    """A JSON document, in its encoded form."""

    text: str

    @property
    def decoded(self) -> Any:
        """The document."""
        return json.loads(self.text)


def encoded(document: Any) -> JSONValue:
    """Return a document as a value."""
    return JSONValue(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def parsed(text: str) -> JSONValue:
    """A document in its encoded form as a value.

    Raises:
        EngineError: it is no JSON.
    """
    try:
        json.loads(text)
    except ValueError as error:
        raise EngineError(f"invalid JSON: {error}") from None
    return JSONValue(text)


@serves("Query", field="json")
def empty(_call: Call, _parent: object) -> JSONValue:
    """The JSON value null, to start from."""
    return encoded(None)


@serves("JSONValue")
def contents(_call: Call, parent: JSONValue, *, pretty: bool = False, indent: str = "  ") -> str:
    """The encoded document."""
    return json.dumps(parent.decoded, ensure_ascii=False, indent=indent) if pretty else parent.text


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
    """The value of a JSON string."""
    return _of(parent, str, "a string")


@serves("JSONValue")
def as_integer(_call: Call, parent: JSONValue) -> int:
    """The value of a JSON integer."""
    return _of(parent, int, "an integer")


@serves("JSONValue")
def as_boolean(_call: Call, parent: JSONValue) -> bool:
    """The value of a JSON boolean."""
    return _of(parent, bool, "a boolean")


@serves("JSONValue")
def as_array(_call: Call, parent: JSONValue) -> list[JSONValue]:
    """The items of a JSON array."""
    return [encoded(item) for item in _of(parent, list, "an array")]


@serves("JSONValue", field="fields")
def field_names(_call: Call, parent: JSONValue) -> list[str]:
    """The names of a JSON object's fields."""
    return list(_of(parent, dict, "an object"))


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
    *way, last = path or [""]
    current = root
    for name in way:
        if not isinstance(current.get(name), dict):
            current[name] = {}
        current = current[name]
    if path:
        current[last] = value.decoded
    return encoded(root)


def _of(value: JSONValue, kind: type[T], wanted: str) -> T:
    decoded = value.decoded
    if isinstance(decoded, kind) and not (isinstance(decoded, bool) and kind is int):
        return decoded
    raise EngineError(f"value is not {wanted}")
