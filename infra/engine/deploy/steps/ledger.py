"""The resources of a stack while an update changes them.

What it found, what it has made, and what is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.engine.deploy.contract import Change
from infra.engine.deploy.graph import Graph

if TYPE_CHECKING:
    from infra.engine.state.model import Resource


class Ledger:
    """Two lists: resources found and not come to yet, and resources that this update has been through.

    A resource is told by identity. Looking an old one up by URN works to the end of the update, whatever
    became of it; the ledger then answers the latest version.
    """

    def __init__(self, found: Sequence[Resource] = ()) -> None:
        self._found: list[Resource] = []
        self._left: list[bool] = []
        self._slot: dict[int, int] = {}
        self._by_urn: dict[str, int] = {}
        self._all_by_urn: dict[str, list[int]] = {}
        self._made: list[Resource | None] = []
        self._made_slot: dict[int, int] = {}
        self._latest: dict[str, Resource] = {}
        self._superseded: list[Resource] = []
        self._graph: Graph | None = None
        self.rebase(found)

    def rebase(self, found: Sequence[Resource]) -> None:
        """Start from other resources, as a refresh found them."""
        self._found = list(found)
        self._left = [True] * len(self._found)
        self._slot = {id(resource): index for index, resource in enumerate(self._found)}
        everything: dict[str, list[int]] = defaultdict(list)
        for index, resource in enumerate(self._found):
            everything[resource.urn].append(index)
        self._all_by_urn = dict(everything)
        self._by_urn = {
            resource.urn: index for index, resource in enumerate(self._found) if not resource.delete
        }
        self._graph = None

    @property
    def graph(self) -> Graph:
        """Who depends on whom among the resources found."""
        if self._graph is None:
            self._graph = Graph(self._found)
        return self._graph

    def old(self, urn: str) -> Resource | None:
        """The resource of that name that the update found, if it was not on its way out."""
        index = self._by_urn.get(urn)
        return None if index is None else self._found[index]

    def olds(self, urn: str) -> list[Resource]:
        """All of that name, also those on their way out."""
        return [self._found[index] for index in self._all_by_urn.get(urn, ())]

    def found(self) -> list[Resource]:
        """All that the update found, in order, in their latest versions."""
        return list(self._found)

    def new(self, urn: str) -> Resource | None:
        """The resource of that name that this update has been through."""
        return self._latest.get(urn)

    def made(self) -> list[Resource]:
        """All that this update has been through, in order."""
        return [resource for resource in self._made if resource is not None]

    def slot(self, resource: Resource) -> int:
        """The place of a found resource, which stays while its versions change."""
        return self._slot[id(resource)]

    def latest(self, resource: Resource) -> Resource:
        """The latest version of a found resource; any other is its own."""
        index = self._slot.get(id(resource))
        return resource if index is None else self._found[index]

    def apply(self, change: Change) -> None:
        """Take a step's outcome in."""
        for before, after in change.replaces:
            self._supersede(before, after)
        for resource in change.removes:
            self._remove(resource)
        for resource in change.appends:
            self._made_slot[id(resource)] = len(self._made)
            self._made.append(resource)
            self._latest[resource.urn] = resource

    def _supersede(self, before: Resource, after: Resource) -> None:
        # The old version is kept: as long as it is, no other object gets its identity.
        self._superseded.append(before)
        if (index := self._made_slot.get(id(before))) is not None:
            self._made[index] = after
            self._made_slot[id(after)] = index
            self._latest[after.urn] = after
        elif (index := self._slot.get(id(before))) is not None:
            self._found[index] = after
            self._slot[id(after)] = index
            self._graph = None

    def _remove(self, resource: Resource) -> None:
        if (index := self._made_slot.get(id(resource))) is not None:
            self._made[index] = None
            self._superseded.append(resource)
            if self._latest.get(resource.urn) is resource:
                del self._latest[resource.urn]
        elif (index := self._slot.get(id(resource))) is not None:
            self._left[index] = False

    def resources(self) -> list[Resource]:
        """The stack's resources as of now, in the order of the checkpoint."""
        left = (resource for resource, kept in zip(self._found, self._left, strict=True) if kept)
        return [*self.made(), *left]
