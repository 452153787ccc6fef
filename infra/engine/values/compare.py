"""Whether values are equal, and where they differ (sdk/go/common/resource/properties_diff.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.engine.values.kinds import (
    Archive,
    Asset,
    Output,
    Properties,
    ResourceReference,
    Secret,
    Unknown,
    Value,
)


def equal(left: Value, right: Value) -> bool:  # noqa: PLR0911 - one case each
    """Whether two values are the same.

    A number never equals a boolean, files are the same by their hash, a null entry is as good as none.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return all(equal(value, right.get(key)) for key, value in left.items()) and all(
            value is None for key, value in right.items() if key not in left
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            equal(one, other) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, Secret) and isinstance(right, Secret):
        return equal(left.element, right.element)
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        return True
    if isinstance(left, Asset | Archive) and isinstance(right, Asset | Archive) and left.hash and right.hash:
        return type(left) is type(right) and left.hash == right.hash
    if isinstance(left, ResourceReference) and isinstance(right, ResourceReference):
        return left.urn == right.urn
    return left == right


@dataclass(frozen=True, slots=True)
class Edit:
    """One place where two property bags differ: ``path`` of keys (str) and indices (int)."""

    path: tuple[str | int, ...]
    kind: Literal["add", "delete", "update"]


def edits(old: Properties, new: Properties) -> list[Edit]:
    """Where ``new`` differs from ``old``, at the deepest places, keys in order.

    A secret differs as a whole.
    """
    return list(_edits(old, new, ()))


def _edits(old: Value, new: Value, path: tuple[str | int, ...]) -> Iterator[Edit]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = (*path, key)
            before, after = old.get(key), new.get(key)
            if before is None or after is None:
                if before is not after:
                    yield Edit(inner, "add" if before is None else "delete")
            else:
                yield from _edits(before, after, inner)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            inner = (*path, index)
            if index >= len(new):
                yield Edit(inner, "delete")
            elif index >= len(old):
                yield Edit(inner, "add")
            else:
                yield from _edits(old[index], new[index], inner)
    elif not equal(old, new):
        yield Edit(path, "update")


def contains_unknown(value: Value) -> bool:
    """Whether any part of ``value`` is not known yet."""
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    if isinstance(value, Secret):
        return contains_unknown(value.element)
    if isinstance(value, Output):
        return not value.known or contains_unknown(value.element)
    if isinstance(value, ResourceReference):
        return contains_unknown(value.id)
    return isinstance(value, Unknown)


def contains_secret(value: Value) -> bool:
    """Whether any part of ``value`` is secret."""
    if isinstance(value, dict):
        return any(contains_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_secret(item) for item in value)
    if isinstance(value, Output):
        return value.secret or contains_secret(value.element)
    return isinstance(value, Secret)


def dependencies(value: Value) -> set[str]:
    """The URNs that the outputs inside ``value`` come from."""
    if isinstance(value, dict):
        return set().union(*(dependencies(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(dependencies(item) for item in value))
    if isinstance(value, Secret):
        return dependencies(value.element)
    if isinstance(value, Output):
        return set(value.dependencies) | dependencies(value.element)
    return set()


def bare(value: Value) -> Value:
    """``value`` with no secret or output mark anywhere; unknowns stay."""
    if isinstance(value, Secret):
        return bare(value.element)
    if isinstance(value, Output):
        return bare(value.element) if value.known else Unknown()
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value


def bare_properties(properties: Properties) -> Properties:
    """``bare`` for a whole bag."""
    return {key: bare(value) for key, value in properties.items()}


def mark_secrets(outputs: Properties, inputs: Properties) -> Properties:
    """``outputs`` of a provider that can't keep secrets marked, marked where ``inputs`` were."""
    result = dict(outputs)
    for key, given in inputs.items():
        answered = result.get(key)
        if key not in result:
            continue
        if isinstance(answered, dict) and isinstance(given, dict):
            result[key] = mark_secrets(answered, given)
        elif not isinstance(answered, Secret) and contains_secret(given):
            result[key] = Secret(answered)
    return result
