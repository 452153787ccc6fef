"""Property paths, such as ``tags["a.b"]``, ``rules[0].port`` and ``rules[*]`` (sdk/go/property/path.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from infra.engine.values.kinds import Properties, Secret, Value

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Gone:
    """No value at all, as opposed to null."""


_GONE = _Gone()


def parse(text: str) -> Path:
    """The steps of a path; ``*`` matches any. Raises ValueError when it is malformed."""
    steps: list[Step] = []
    rest = text
    while rest:
        if rest.startswith("."):
            rest = rest[1:]
            if not rest:
                raise ValueError(f"property path {text!r} ends in a dot")
        if rest.startswith("["):
            step, rest = _bracket(rest, text)
            steps.append(step)
            continue
        end = next((index for index, char in enumerate(rest) if char in ".["), len(rest))
        if end == 0:
            raise ValueError(f"property path {text!r} has an empty step")
        steps.append(rest[:end])
        rest = rest[end:]
    return tuple(steps)


def _bracket(rest: str, text: str) -> tuple[Step, str]:
    if rest.startswith('["'):
        index = 2
        name: list[str] = []
        while index < len(rest) and rest[index] != '"':
            if rest[index] == "\\" and rest[index + 1 : index + 2] == '"':
                index += 1
            name.append(rest[index])
            index += 1
        if rest[index : index + 2] != '"]':
            raise ValueError(f"property path {text!r} has a quoted name that doesn't end")
        return "".join(name), rest[index + 2 :]
    inner, bracket, after = rest[1:].partition("]")
    if not bracket:
        raise ValueError(f"property path {text!r} has a bracket that doesn't end")
    if inner == "*":
        return "*", after
    if not inner.isdigit():
        raise ValueError(f"property path {text!r} has an index that is no number: {inner!r}")
    return int(inner), after


def text_of(path: Sequence[Step]) -> str:
    """The path as Pulumi writes it."""
    result = ""
    for step in path:
        if isinstance(step, int):
            result += f"[{step}]"
        elif step and all(char == "_" or (char.isascii() and char.isalnum()) for char in step):
            result += f".{step}" if result else step
        else:
            escaped = step.replace('"', '\\"')
            result += f'["{escaped}"]'
    return result


def contains(pattern: Path, path: Path) -> bool:
    """Whether ``path`` is the place that ``pattern`` names, or lies below it."""
    return len(pattern) <= len(path) and all(
        wanted in ("*", step) for wanted, step in zip(pattern, path, strict=False)
    )


def reset(old: Properties, new: Properties, path: Path) -> tuple[Properties, bool]:
    """``new`` with what is at ``path`` as it is in ``old``; False if that can't be done (an index is gone).

    This is how ``ignore_changes`` works: the program's value gives way to the last one.
    """
    result = _reset(old, new, path)
    return (result, True) if isinstance(result, dict) else (new, False)


def _reset(old: Value | _Gone, new: Value | _Gone, path: Path) -> Value | _Gone | Literal[False]:  # noqa: PLR0911
    if not path:
        return old
    if isinstance(old, Secret):
        old = old.element
    if isinstance(new, Secret):
        inner = _reset(old, new.element, path)
        return inner if inner is False or isinstance(inner, _Gone) else Secret(inner)
    step, rest = path[0], path[1:]
    if isinstance(new, dict) and (isinstance(old, dict | _Gone) or old is None):
        before = old if isinstance(old, dict) else {}
        keys = sorted(before.keys() | new.keys()) if step == "*" else [str(step)]
        return _reset_keys(before, new, keys, rest)
    if isinstance(new, list) and isinstance(old, list):
        if step == "*":
            if len(old) != len(new) and not rest:
                return False
            indices = range(min(len(old), len(new)))
        elif isinstance(step, int) and step < len(old) and step < len(new):
            indices = range(step, step + 1)
        else:
            return False
        items = list(new)
        for index in indices:
            item = _reset(old[index], new[index], rest)
            if item is False or isinstance(item, _Gone):
                return False
            items[index] = item
        return items
    return False if isinstance(new, list) or isinstance(old, list) else new


def _reset_keys(old: Properties, new: Properties, keys: list[str], rest: Path) -> Value | Literal[False]:
    result = dict(new)
    for key in keys:
        before: Value | _Gone = old.get(key, _GONE)
        after: Value | _Gone = new.get(key, _GONE)
        if rest and (isinstance(before, _Gone) or isinstance(after, _Gone)):
            if not (isinstance(before, _Gone) and isinstance(after, _Gone)):
                return False
            continue
        item = _reset(before, after, rest)
        if item is False:
            return False
        if isinstance(item, _Gone):
            result.pop(key, None)
        else:
            result[key] = item
    return result
