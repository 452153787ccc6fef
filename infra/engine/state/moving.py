"""Resources moved from one stack's state to another's, the cloud left alone (``pulumi state move``).

What is moved brings its children along, and a copy of the providers that it needs. What it depended on and
stays behind, or what depended on it, is cut, and told: a program can't refer to another stack's resources.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from infra.engine.deploy import urns
from infra.engine.state.errors import StateError
from infra.engine.state.model import ROOT_STACK_TYPE, Resource, Snapshot


@dataclass(frozen=True, slots=True)
class Destination:
    """The stack that resources move to: its state, its name and its project."""

    snapshot: Snapshot
    stack: str
    project: str


@dataclass(frozen=True, slots=True)
class Cut:
    """``resource`` can depend on ``target`` no more; ``how`` says in which way it did."""

    resource: str
    how: str
    target: str

    def __str__(self) -> str:
        return f"{self.resource} {self.how} {self.target}"


@dataclass(frozen=True, slots=True)
class Moved:
    """Both states after a move, what was moved, and what had to be cut in each.

    ``unknown`` are the URNs asked for that the source doesn't have.
    """

    source: Snapshot
    destination: Snapshot
    resources: tuple[str, ...]
    unknown: tuple[str, ...]
    cut_behind: tuple[Cut, ...]
    cut_ahead: tuple[Cut, ...]


def move(source: Snapshot, to: Destination, wanted: Sequence[str], *, parents: bool = False) -> Moved:
    """Move the resources ``wanted`` (and with ``parents`` the components they are in).

    Raises StateError: none of them is there, one is a provider, or the destination has one of that name.
    """
    chosen = _chosen(source, wanted, parents)
    moving = [each for each in source.resources if each.urn in chosen]
    staying = [each for each in source.resources if each.urn not in chosen]
    behind = [_cut(each, chosen) for each in staying]
    root = to.snapshot.root or _root(to)
    landed = list(to.snapshot.resources) if to.snapshot.root else [root, *to.snapshot.resources]
    names: dict[str, str] = {}
    ahead: list[Cut] = []
    left = {each.urn for each in staying}
    needed = {each.provider for each in moving if each.provider}
    providers = [each for each in staying if urns.reference(each.urn, each.id) in needed]
    for each in [*providers, *moving]:
        arrived, cuts = _cut(each, left)
        arrived = arrived if each.parent in chosen else replace(arrived, parent=root.urn)
        arrived = _renamed(arrived, to, names)
        ahead += cuts
        there = next((one for one in landed if one.urn == arrived.urn), None)
        if urns.is_provider(each.type):
            shared = _shared(arrived, there)
            names[urns.reference(each.urn, each.id)] = urns.reference(arrived.urn, shared.id)
        elif there is not None:
            raise StateError(f"resource {arrived.urn} already exists in destination stack")
        if there is None:
            landed.append(arrived)
        names[each.urn] = arrived.urn
    return Moved(
        source=replace(source, resources=tuple(each for each, _ in behind)),
        destination=replace(to.snapshot, resources=tuple(landed)),
        resources=tuple(each.urn for each in moving),
        unknown=tuple(urn for urn in wanted if all(each.urn != urn for each in source.resources)),
        cut_behind=tuple(cut for _, cuts in behind for cut in cuts),
        cut_ahead=tuple(ahead),
    )


def _chosen(source: Snapshot, wanted: Sequence[str], parents: bool) -> set[str]:
    by_urn = {each.urn: each for each in source.resources}
    matched = [by_urn[urn] for urn in wanted if urn in by_urn]
    if any(urns.is_provider(each.type) for each in matched):
        raise StateError(
            "cannot move providers. Only resources can be moved, and providers will be included automatically"
        )
    if not matched:
        raise StateError("no resources found to move")
    chosen = {each.urn for each in matched}
    for each in matched if parents else ():
        above = by_urn.get(each.parent)
        while above is not None:
            chosen.add(above.urn)
            above = by_urn.get(above.parent)
        chosen -= {above.urn for above in source.resources if above.is_root}
    for each in source.resources:  # a parent comes before its children
        if each.parent in chosen and not urns.is_provider(each.type):
            chosen.add(each.urn)
    return chosen - {each.urn for each in source.resources if each.is_root}


def _cut(resource: Resource, gone: Collection[str]) -> tuple[Resource, tuple[Cut, ...]]:
    """The resource without what it says of those that are ``gone``; its parent is seen to elsewhere."""
    cuts = [
        *(("has a dependency on", urn) for urn in resource.dependencies),
        *(
            (f"({key}) has a property dependency on", urn)
            for key in sorted(resource.property_dependencies)
            for urn in resource.property_dependencies[key]
        ),
        ("is marked as deleted with", resource.deleted_with),
        *(("is marked as replace with", urn) for urn in resource.replace_with),
    ]
    freed = replace(
        resource,
        dependencies=_without(resource.dependencies, gone),
        property_dependencies={
            key: left
            for key, targets in resource.property_dependencies.items()
            if (left := _without(targets, gone))
        },
        deleted_with="" if resource.deleted_with in gone else resource.deleted_with,
        replace_with=_without(resource.replace_with, gone),
    )
    return freed, tuple(Cut(resource.urn, how, urn) for how, urn in cuts if urn in gone)


def _without(targets: Sequence[str], gone: Collection[str]) -> tuple[str, ...]:
    return tuple(urn for urn in targets if urn not in gone)


def _root(to: Destination) -> Resource:
    return Resource(urn=urns.root(to.stack, to.project), type=ROOT_STACK_TYPE, custom=False)


def _renamed(resource: Resource, to: Destination, names: Mapping[str, str]) -> Resource:
    """The resource by its name in the destination; ``names`` has the new names of those moved so far."""

    def name(urn: str) -> str:
        return names.get(urn, urn)

    parent = name(resource.parent)
    return replace(
        resource,
        urn=urns.make(to.stack, to.project, parent, urns.type_of(resource.urn), urns.name_of(resource.urn)),
        parent=parent,
        provider=name(resource.provider),
        dependencies=tuple(name(urn) for urn in resource.dependencies),
        property_dependencies={
            key: tuple(name(urn) for urn in targets)
            for key, targets in resource.property_dependencies.items()
        },
        deleted_with=name(resource.deleted_with),
        replace_with=tuple(name(urn) for urn in resource.replace_with),
    )


def _shared(provider: Resource, there: Resource | None) -> Resource:
    """The provider that serves in the destination: one that is there already, if it is configured alike."""
    if there is None:
        return provider
    if there.id != provider.id and there.inputs != provider.inputs:
        raise StateError(f"provider {provider.urn} already exists in destination stack")
    return there
