"""Configuration keys, values and the paths into them (sdk/go/common/resource/config)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.engine.project.errors import ProjectError
from infra.engine.state import gojson

Decrypt = Callable[[str], str]


def parse_key(text: str, project: str) -> str:
    """``namespace:name`` from what a user wrote: a bare name is the project's."""
    match text.split(":"):
        case [name]:
            return f"{project}:{name}"
        case [namespace, name]:
            return f"{namespace}:{name}"
        case [namespace, "config", name]:
            return f"{namespace}:{name}"
    raise ProjectError(
        f"invalid configuration key: could not parse {text} as a configuration key (configuration keys"
        " should be of the form `<namespace>:<name>`)"
    )


def shown_key(key: str, project: str) -> str:
    """The key as users of ``project`` write it."""
    return key.removeprefix(f"{project}:")


def is_secure(value: Any) -> bool:
    """Whether ``value`` is an encrypted secret."""
    return isinstance(value, dict) and list(value) == ["secure"] and isinstance(value["secure"], str)


def has_secret(value: Any) -> bool:
    """Whether ``value`` is a secret, or there is one somewhere in it."""
    if is_secure(value):
        return True
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    return isinstance(value, list) and any(has_secret(item) for item in value)


def is_object(value: Any) -> bool:
    """Whether ``value`` is a list or a map (and no secret)."""
    return isinstance(value, dict | list) and not is_secure(value)


def decrypted(value: Any, decrypt: Decrypt) -> Any:
    """``value`` with its secrets in plain."""
    if is_secure(value):
        return decrypt(value["secure"])
    if isinstance(value, dict):
        return {key: decrypted(item, decrypt) for key, item in value.items()}
    return [decrypted(item, decrypt) for item in value] if isinstance(value, list) else value


def blinded(value: Any) -> Any:
    """``value`` with ``[secret]`` for its secrets."""
    return decrypted(value, lambda _: "[secret]")


def as_text(value: Any) -> str:
    """A decrypted (or blinded) value as a program is given it: text as it is, a list or map as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return gojson.dumps(_sorted(value), escape_html=True)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


_PART = re.compile(r'\.?([^.\[\]"]+)|\.?\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]')


def parse_path(text: str) -> list[str | int]:
    """``a.b[0]["c.d"]`` as its parts. Raises ProjectError for one that is no path."""
    parts: list[str | int] = []
    place = 0
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:
            raise ProjectError(f"invalid config key: '{text}' is no property path (such as a.b[0])")
        name, quoted, index = match.groups()
        if index is not None:
            parts.append(int(index))
        else:
            parts.append(name if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        place = match.end()
    if not parts or not isinstance(parts[0], str):
        raise ProjectError(f"invalid config key: '{text}' must start with a name")
    return parts


def typed(text: str) -> Any:
    """Text at the end of a path, as the type that it reads as."""
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text):
        return int(text)
    return text


_MISSING = object()


def get_in(value: Any, path: list[str | int]) -> tuple[bool, Any]:
    """Whether there is something at ``path`` inside ``value``, and what."""
    for part in path:
        if isinstance(value, dict) and isinstance(part, str) and not is_secure(value):
            value = value.get(part, _MISSING)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False, None
        if value is _MISSING:
            return False, None
    return True, value


def given(config: Mapping[str, Any], words: Iterable[str], project: str, *, paths: bool) -> dict[str, Any]:
    """``config`` with each ``key=value`` of ``words`` set; with ``paths`` the keys are paths.

    Raises ProjectError.
    """
    made = dict(config)
    for word in words:
        text, _, value = word.partition("=")
        if paths:
            head, *rest = parse_path(text)
            key = parse_key(str(head), project)
            made[key] = set_in(made.get(key) if rest else None, rest, typed(value), text)
        else:
            made[parse_key(text, project)] = value
    return made


def set_in(value: Any, path: list[str | int], new: Any, key: str) -> Any:
    """``value`` with ``new`` at ``path``; maps and lists on the way are made. Raises ProjectError."""
    if not path:
        return new
    head, *rest = path
    if isinstance(head, int):
        items = list(value) if isinstance(value, list) else []
        if value is not None and not isinstance(value, list):
            raise ProjectError(f"{key}: an array was expected")
        if head > len(items):
            raise ProjectError(f"{key}: array index out of range")
        if head == len(items):
            items.append(None)
        items[head] = set_in(items[head], rest, new, key)
        return items
    if value is not None and not isinstance(value, dict):
        raise ProjectError(f"{key}: a map was expected")
    if is_secure(value):
        raise ProjectError(f'{key}: maps with the single key "secure" are reserved')
    entries = dict(value or {})
    entries[head] = set_in(entries.get(head), rest, new, key)
    return entries


def remove_in(value: Any, path: list[str | int]) -> Any:
    """``value`` without what is at ``path``; nothing there is no error."""
    head, *rest = path
    there, inner = get_in(value, [head])
    if not there:
        return value
    if isinstance(value, list) and isinstance(head, int):
        return [*value[:head], *([remove_in(inner, rest)] if rest else []), *value[head + 1 :]]
    if not rest:
        return {key: item for key, item in value.items() if key != head}
    return value | {head: remove_in(inner, rest)}
