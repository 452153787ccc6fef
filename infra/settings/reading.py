"""From configuration to ``Settings``; errors name the key and what it may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

from infra.settings.model import NAMESPACE, Rule, Settings

T = TypeVar("T")


class SettingsError(Exception):
    """A configuration key that is missing, unknown, or not what it may be; the text is for a user."""


class Config(Protocol):
    """The part of ``pulumi.Config`` that is read here."""

    def get(self, key: str) -> str | None:
        """A value as it is written; an object as JSON."""


def from_config(config: Config) -> Settings:
    """The settings of the stack that runs. Raises SettingsError."""
    written = {part.name: config.get(part.name) for part in fields(Settings)}
    return from_mapping({name: value for name, value in written.items() if value is not None})


def from_mapping(values: Mapping[str, Any]) -> Settings:
    """The settings that a stack's file has under the project's namespace. Raises SettingsError."""
    return _object(Settings, values, "")


def _object(cls: type[T], values: Mapping[str, Any], path: str) -> T:
    known = {part.name: part for part in fields(cls)}  # type: ignore[arg-type]  # all callers give dataclasses
    for name in values:
        if name not in known:
            raise SettingsError(
                f"There is no {_full(_join(path, name))}. It may be one of: {', '.join(known)}."
            )
    hints = get_type_hints(cls, include_extras=True)
    read: dict[str, Any] = {}
    for name, part in known.items():
        where, hint, rule = _join(path, name), *_ruled(hints[name])
        if name in values:
            read[name] = _value(hint, values[name], where, rule, part)
        elif part.default is MISSING and part.default_factory is MISSING:
            raise SettingsError(f"{_full(where)} is missing. {_remedy(where, rule, part)}")
    return cls(**read)


def _ruled(hint: Any) -> tuple[Any, Rule]:
    """A type and its rule: ``Annotated[T, Rule]``, or that or None."""
    if get_origin(hint) is Annotated:
        return get_args(hint)[0], get_args(hint)[1]
    return get_args(hint)[0] | None, get_args(get_args(hint)[0])[1]


def _value(hint: Any, value: Any, path: str, rule: Rule, part: Field[Any]) -> Any:
    try:
        converted = _convert(hint, value, path)
        allowed = converted is None or rule.allows(converted)
    except (TypeError, ValueError) as error:
        raise SettingsError(_refused(path, value, rule, part)) from error
    if not allowed:
        raise SettingsError(_refused(path, value, rule, part))
    return converted


def _convert(hint: Any, value: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _convert(get_args(hint)[0], value, path)
    if type(None) in get_args(hint):
        return None if value is None else _convert(get_args(hint)[0], value, path)
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint, _decoded(value, dict), path)
    if origin is tuple:
        return tuple(_scalar(str, item) for item in _decoded(value, list))
    if origin is dict:
        kind = get_args(hint)[1]
        return {str(name): _scalar(kind, item) for name, item in _decoded(value, dict).items()}
    return _scalar(hint, value)


def _decoded(value: Any, kind: type[T]) -> T:
    decoded = json.loads(value) if isinstance(value, str) else value
    if not isinstance(decoded, kind):
        raise TypeError(value)
    return decoded


def _scalar(kind: Any, value: Any) -> Any:
    """A value of a kind; what Pulumi's configuration has as text is read, nothing is rounded or guessed."""
    if kind is bool:
        return {"true": True, "false": False}[value] if value in {"true", "false"} else _exactly(bool, value)
    if isinstance(value, bool):
        raise TypeError(value)
    if kind is str:
        return str(value) if isinstance(value, int | float) else _exactly(str, value)
    if isinstance(value, str):
        return kind(value)
    return float(value) if kind is float and isinstance(value, int) else _exactly(kind, value)


def _exactly(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(value)
    return value


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _full(path: str) -> str:
    return f"{NAMESPACE}:{path}"


def _refused(path: str, value: Any, rule: Rule, part: Field[Any]) -> str:
    shown = "a value that is not shown" if path.startswith("secrets") else json.dumps(value, default=str)
    return f"{_full(path)} is {shown}. {_remedy(path, rule, part)}"


def _remedy(path: str, rule: Rule, part: Field[Any]) -> str:
    default = "" if part.default in {MISSING, None, ()} else f" (default {json.dumps(part.default)})"
    nested = "--path " if "." in path else ""
    return f"It may be {rule.text}{default}: pulumi config set {nested}{_full(path)} VALUE"
