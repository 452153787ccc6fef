"""``Error``: a message with values, by which a module's function says what went wrong."""

from dataclasses import dataclass, replace

from ci.engine.api.registry import Call, serves, serves_attributes


@dataclass(frozen=True, slots=True)
class ErrorValue:
    """A value of an error, encoded as JSON."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Error:
    """An error, as a value."""

    message: str
    values: tuple[ErrorValue, ...] = ()


serves_attributes("Error", "message", "values")
serves_attributes("ErrorValue", "name", "value")


@serves("Query")
def error(_call: Call, _parent: object, *, message: str) -> Error:
    """A new error."""
    return Error(message)


@serves("Error")
def with_value(_call: Call, parent: Error, *, name: str, value: str) -> Error:
    """The error with one more value."""
    return replace(parent, values=(*parent.values, ErrorValue(name, value)))
