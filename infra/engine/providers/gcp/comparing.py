"""What differs between a resource as it is and as it is wanted: Pulumi's ``diff``, with Terraform's rules.

A property that the user left out is no difference when the cloud fills it in, or when what is there is as
good as nothing (an empty text, zero, false, an empty list). Sets have no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.engine.providers.contract import Difference, PropertyDifference
from infra.engine.providers.gcp.schema import Field, Schema
from infra.engine.providers.gcp.shaping import plain
from infra.engine.values import Secret, Unknown

Same = Callable[[str, Any, Any], bool]
"""Whether two values of a property path mean the same, though they are written differently."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One difference: its path, the property at the top that it belongs to, and its kind."""

    path: str
    top: str
    kind: Difference


def compare(schema: Schema, state: Mapping[str, Any], wanted: Mapping[str, Any], same: Same) -> list[Changed]:
    """All differences between the last known state and what is wanted."""
    return [
        Changed(path, path.split(".")[0].split("[")[0], kind)
        for path, kind in _objects(schema, state, wanted, "", replacing=False, same=same)
    ]


def detailed(changes: list[Changed]) -> Mapping[str, PropertyDifference]:
    """The differences as Pulumi's protocol has them."""
    return {change.path: PropertyDifference(change.kind) for change in changes}


Found = Iterator[tuple[str, Difference]]


def _objects(
    schema: Schema, old: Mapping[str, Any], new: Mapping[str, Any], path: str, *, replacing: bool, same: Same
) -> Found:
    for name, field in schema.items():
        if field.computed:
            continue
        where = f"{path}.{name}" if path else name
        yield from _field(
            field, revealed(old.get(name)), revealed(new.get(name)), where, replacing=replacing, same=same
        )


def _field(field: Field, old: Any, new: Any, path: str, *, replacing: bool, same: Same) -> Found:
    replacing = replacing or field.replaces
    if isinstance(new, Unknown):
        yield path, _kind("add" if empty(old) else "update", replacing=replacing)
    elif new is None:
        if not field.filled and not empty(old):
            yield path, _kind("delete", replacing=replacing)
    elif same(path, old, new):
        return
    elif field.many:
        yield from _many(field, old or [], new, path, replacing=replacing, same=same)
    elif field.kind == "object":
        if old is None:
            yield path, _kind("add", replacing=replacing)
        else:
            yield from _objects(field.fields, old, new, path, replacing=replacing, same=same)
    elif field.kind == "map":
        yield from _map(field, old or {}, new, path, replacing=replacing)
    elif field.kind in {"list", "set"}:
        yield from _list(field, old or [], new, path, replacing=replacing)
    elif not (old == new or (empty(old) and empty(new))):
        yield path, _kind("add" if old is None else "update", replacing=replacing)


def _many(field: Field, old: list[Any], new: list[Any], path: str, *, replacing: bool, same: Same) -> Found:
    if field.kind == "set":
        old, new = _aligned(field, old, new, same)
    for number in range(max(len(old), len(new))):
        where = f"{path}[{number}]"
        if number >= len(new):
            yield where, _kind("delete", replacing=replacing)
        elif number >= len(old):
            yield where, _kind("add", replacing=replacing)
        elif isinstance(new[number], Unknown):
            yield where, _kind("update", replacing=replacing)
        else:
            was, wanted = revealed(old[number]) or {}, revealed(new[number]) or {}
            yield from _objects(field.fields, was, wanted, where, replacing=replacing, same=same)


def _aligned(field: Field, old: list[Any], new: list[Any], same: Same) -> tuple[list[Any], list[Any]]:
    """A set's old members in the order of those new ones that they equal; the rest after them."""
    rest = list(old)
    ordered: list[Any] = []
    wanted: list[Any] = []
    odd: list[Any] = []
    for member in new:
        twin = next(
            (item for item in rest if not isinstance(member, Unknown) and _equal(field, item, member, same)),
            None,
        )
        if twin is None:
            odd.append(member)
        else:
            rest.remove(twin)
            ordered.append(twin)
            wanted.append(member)
    return ordered + rest, wanted + odd


def _equal(field: Field, old: Any, new: Any, same: Same) -> bool:
    found = _objects(field.fields, revealed(old), revealed(new), "", replacing=False, same=same)
    return next(found, None) is None


def _map(
    field: Field, old: Mapping[str, Any], new: Mapping[str, Any], path: str, *, replacing: bool
) -> Found:
    for key in sorted({*old, *new} - {"__defaults"}):
        where = f'{path}["{key}"]' if set(key) & set('."[]') else f"{path}.{key}"
        was, wanted = revealed(old.get(key)), revealed(new.get(key))
        if key not in new:
            if not field.filled:
                yield where, _kind("delete", replacing=replacing)
        elif key not in old:
            yield where, _kind("add", replacing=replacing)
        elif was != wanted:
            yield where, _kind("update", replacing=replacing)


def _list(field: Field, old: list[Any], new: list[Any], path: str, *, replacing: bool) -> Found:
    if field.kind == "set":
        known = [item for item in new if not isinstance(item, Unknown)]
        old = sorted(old, key=str)
        new = [*sorted(known, key=str), *(item for item in new if isinstance(item, Unknown))]
    for number in range(max(len(old), len(new))):
        where = f"{path}[{number}]"
        if number >= len(new):
            yield where, _kind("delete", replacing=replacing)
        elif number >= len(old):
            yield where, _kind("add", replacing=replacing)
        elif revealed(old[number]) != revealed(new[number]):
            yield where, _kind("update", replacing=replacing)


def _kind(verb: str, *, replacing: bool) -> Difference:
    return Difference(f"{verb}-replace" if replacing else verb)


def revealed(value: Any) -> Any:
    """A value without the marking of a secret."""
    return value.element if isinstance(value, Secret) else value


def empty(value: Any) -> bool:
    """Whether a value is as good as absent: zero, false, nothing, or an object of such values alone."""
    if isinstance(value, dict):
        return all(empty(item) for item in plain(value).values())
    return value in (None, "", 0, False, [])
