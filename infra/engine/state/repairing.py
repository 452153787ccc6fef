"""A deployment (as JSON) that breaks the rules of the state, mended (``pulumi state repair``).

Resources are put after what they refer to, and references to resources that are gone are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from infra.engine.deploy import urns
from infra.engine.state.errors import StateError


@dataclass(frozen=True, slots=True)
class Pruned:
    """One resource that referred to what is gone: ``removed`` are those references and their kinds."""

    urn: str
    renamed: str
    delete: bool
    removed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done: resources that changed their place, and resources that lost references."""

    reordered: tuple[str, ...]
    pruned: tuple[Pruned, ...]

    def __str__(self) -> str:
        lines: list[str] = []
        if self.reordered:
            lines += ["The following resources will be reordered to appear before their dependents:", ""]
            lines += [*(f"* {urn}" for urn in self.reordered), ""]
        if self.pruned:
            lines += ["The following resources will be modified to remove missing dependencies:", ""]
        for each in self.pruned:
            lines.append(f"~ {each.urn}{' (deleted)' if each.delete else ''}")
            lines += [f"  ~ {each.renamed} [urn]"] if each.renamed != each.urn else []
            lines += [f"  - {urn} [{kind}]" for kind, urn in each.removed]
        return "\n".join(lines) + "\n"


def repair(deployment: dict[str, Any]) -> Repair:
    """Mend ``deployment`` in place. Raises StateError for a cycle, which only a person can break."""
    before: list[dict[str, Any]] = deployment.get("resources") or []
    ordered = _sorted(before)
    pruned = tuple(_prune(ordered))
    deployment["resources"] = ordered
    return Repair(_moved(before, ordered), pruned)


def _sorted(resources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    places: dict[str, list[int]] = {}
    for place, resource in enumerate(resources):
        places.setdefault(resource["urn"], []).append(place)
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for place, resource in enumerate(resources):
        targets = {target for _, urn in _references(resource) for target in places.get(urn, ())}
        sorter.add(place, *sorted(targets - {place}))
    try:
        sorter.prepare()
    except CycleError as error:
        ring = " -> ".join(resources[place]["urn"] for place in error.args[1])
        raise StateError(f"resources refer to each other in a circle: {ring}") from error
    result: list[dict[str, Any]] = []
    ready: list[int] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()])
        place = ready.pop(0)  # as near to the old order as may be
        result.append(resources[place])
        sorter.done(place)
    return result


def _references(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if parent := resource.get("parent"):
        yield "parent", parent
    if provider := resource.get("provider"):
        yield "provider", provider.rpartition("::")[0]
    yield from (("dependency", urn) for urn in resource.get("dependencies") or ())
    for key, targets in (resource.get("propertyDependencies") or {}).items():
        yield from ((f"property dependency: {key}", urn) for urn in targets or ())
    if target := resource.get("deletedWith"):
        yield "deleted with", target
    yield from (("replace with", urn) for urn in resource.get("replaceWith") or ())


def _prune(resources: Sequence[dict[str, Any]]) -> Iterator[Pruned]:
    known: set[str] = set()
    renamed: dict[str, str] = {}
    for resource in resources:
        _rename(resource, renamed)
        lost = [(kind, urn) for kind, urn in _references(resource) if kind != "provider" and urn not in known]
        old = resource["urn"]
        if lost:
            _drop(resource, {urn for _, urn in lost})
            if any(kind == "parent" for kind, _ in lost):
                resource["urn"] = _unparented(old)
                renamed[old] = resource["urn"]
            yield Pruned(old, resource["urn"], bool(resource.get("delete")), tuple(lost))
        known.add(resource["urn"])


def _rename(resource: dict[str, Any], renamed: Mapping[str, str]) -> None:
    from infra.engine.state.edit import rewrite

    rewrite(resource, lambda urn: renamed.get(urn, urn))


def _unparented(urn: str) -> str:
    head, project, _, name = urn.split("::", 3)
    return f"{head}::{project}::{urns.type_of(urn)}::{name}"


def _drop(resource: dict[str, Any], gone: set[str]) -> None:
    for field in ("parent", "deletedWith"):
        if resource.get(field) in gone:
            del resource[field]
    for field in ("dependencies", "replaceWith"):
        if resource.get(field):
            resource[field] = [urn for urn in resource[field] if urn not in gone]
    for key, targets in (resource.get("propertyDependencies") or {}).items():
        resource["propertyDependencies"][key] = [urn for urn in targets or () if urn not in gone]


def _moved(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Those whose neighbours on both sides changed, rather than all that were pushed along."""
    old, new = [each["urn"] for each in before], [each["urn"] for each in after]

    def neighbours(order: list[str]) -> dict[str, tuple[str, str]]:
        padded = ["", *order, ""]
        return {urn: (padded[place], padded[place + 2]) for place, urn in enumerate(order)}

    was, now = neighbours(old), neighbours(new)
    return tuple(
        urn for urn in new if urn in was and was[urn][0] != now[urn][0] and was[urn][1] != now[urn][1]
    )
