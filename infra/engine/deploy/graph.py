"""Who depends on whom in a list of resources, which always stands in an order that honours it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from infra.engine.deploy import urns

if TYPE_CHECKING:
    from infra.engine.state.model import Resource


def direct(resource: Resource) -> Iterator[str]:
    """The URNs that ``resource`` depends on, its parent and its provider aside."""
    yield from resource.dependencies
    for dependencies in resource.property_dependencies.values():
        yield from dependencies
    if resource.deleted_with:
        yield resource.deleted_with
    yield from resource.replace_with


def provider_urn(resource: Resource) -> str:
    """The URN of the provider, empty for a component or a provider."""
    return urns.parse_reference(resource.provider)[0] if resource.provider else ""


def all_of(resource: Resource) -> Iterator[str]:
    """Everything that has to be there for ``resource``: dependencies, parent and provider."""
    yield from direct(resource)
    if resource.parent:
        yield resource.parent
    if resource.provider:
        yield provider_urn(resource)


class Graph:
    """Dependencies in a list of resources; two resources of one URN are told apart by identity."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = list(resources)
        self._index = {id(resource): index for index, resource in enumerate(self._resources)}
        self._by_urn: dict[str, list[int]] = defaultdict(list)
        self._descendants: dict[str, list[int]] = defaultdict(list)
        parents: dict[str, str] = {}
        for index, resource in enumerate(self._resources):
            self._by_urn[resource.urn].append(index)
            parents[resource.urn] = resource.parent
            above = resource.parent
            while above:
                self._descendants[above].append(index)
                above = parents.get(above, "")

    def __contains__(self, resource: object) -> bool:
        return id(resource) in self._index

    def depending_on(self, resource: Resource, ignored: AbstractSet[str], children: bool) -> list[Resource]:
        """What depends on ``resource``, directly or not, in order.

        With ``children``, what is below it as well.
        """
        condemned = {resource.urn}
        dependents: list[Resource] = []
        for candidate in self._resources[self._index[id(resource)] + 1 :]:
            if candidate.urn in ignored:
                continue
            if (
                any(urn in condemned for urn in direct(candidate))
                or (children and candidate.parent in condemned)
                or provider_urn(candidate) in condemned
            ):
                dependents.append(candidate)
                condemned.add(candidate.urn)
        return dependents

    def dependencies_of(self, resource: Resource) -> list[Resource]:
        """What ``resource`` depends on directly: a component stands for all that is below it."""
        here = self._index[id(resource)]
        found: dict[int, None] = {}
        wanted = set(direct(resource))
        if resource.provider:
            wanted.add(provider_urn(resource))
        for urn in wanted:
            for index in self._by_urn.get(urn, ()):
                if index < here:
                    found[index] = None
                    if not self._resources[index].custom:
                        found.update((below, None) for below in self._descendants[urn] if below < here)
        for index in self._by_urn.get(resource.parent, ()):
            if index < here:
                found[index] = None
        return [self._resources[index] for index in found]

    def transitive_dependencies_of(self, resource: Resource) -> list[Resource]:
        """What ``resource`` depends on, directly or not."""
        seen: dict[int, Resource] = {}
        frontier = [resource]
        while frontier:
            for dependency in self.dependencies_of(frontier.pop()):
                if id(dependency) not in seen:
                    seen[id(dependency)] = dependency
                    frontier.append(dependency)
        return list(seen.values())
