"""What an update has decided so far, resource by resource, and which resources it is confined to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.engine.deploy import graph, urns
from infra.engine.deploy.planning.targets import Targets

if TYPE_CHECKING:
    from infra.engine.deploy.contract import UpdateRequest
    from infra.engine.state.model import Resource


class Decisions:
    """Sets of URNs by what becomes of them."""

    def __init__(self) -> None:
        self.urns: set[str] = set()
        self.creates: set[str] = set()
        self.sames: set[str] = set()
        self.updates: set[str] = set()
        self.replaces: set[str] = set()
        self.deletes: set[str] = set()
        self.reads: set[str] = set()
        self.imports: set[str] = set()
        self.refreshes: set[str] = set()
        self.skipped_creates: set[str] = set()
        self.gone: set[int] = set()
        """Places in the ledger of resources that were deleted early, for a replacement."""
        self.dependent_keys: dict[str, tuple[str, ...]] = {}
        """Which properties made a dependent be replaced along with what it depends on."""
        self.aliased: dict[str, str] = {}
        """Old URN to the one that a resource has now."""
        self.aliases: dict[str, str] = {}
        """URN to the old one that the resource was found under."""
        self.provider_resources: dict[str, Resource] = {}
        self.queued: set[str] = set()

    def stepped(self, urn: str) -> bool:
        """Whether there has been a step for ``urn``."""
        return any(
            urn in decided
            for decided in (self.creates, self.sames, self.updates, self.deletes, self.replaces, self.reads)
        )

    def operated(self, urn: str) -> bool:
        """Whether the program has asked for ``urn``, by this or a later name.

        So that it is not to be deleted.
        """
        urn = self.aliased.get(urn, urn)
        return any(
            urn in decided
            for decided in (self.sames, self.updates, self.replaces, self.reads, self.refreshes)
        )

    def impossible_dependents(self) -> set[str]:
        """What can't be a dependent of a resource yet to come, because the program got there before."""
        return self.reads | self.creates | self.sames | self.updates | self.deletes | self.replaces


class Scope:
    """Which resources the operation is confined to, by targets or excludes."""

    def __init__(self, request: UpdateRequest) -> None:
        self.targets = Targets(request.targets)
        self.excludes = Targets(request.excludes)
        self.replaces = Targets(request.replaces)
        self._dependents = request.target_dependents
        self._exclude_dependents = request.exclude_dependents
        self._actual_targets = self.targets.copy()
        self._actual_excludes = self.excludes.copy()

    def includes(self, resource: Resource) -> bool:
        """Whether the operation is to touch ``resource``; the stack itself and providers are always in."""
        if urns.is_provider(resource.type) or urns.qualified_type(resource.urn) == urns.ROOT_TYPE:
            return True
        return self.includes_strictly(resource)

    def includes_strictly(self, resource: Resource) -> bool:
        """The same with no exception made."""
        if self.targets.constrained:
            return self.targeted(resource)
        return not (self.excludes.constrained and self.excluded(resource))

    def targeted(self, resource: Resource) -> bool:
        """Whether it is a target, or depends on one where that counts."""
        if self.targets.constrained and resource.urn in self.targets:
            return True
        return self._dependents and any(urn in self._actual_targets for urn in graph.all_of(resource))

    def excluded(self, resource: Resource) -> bool:
        """Whether it is excluded, or depends on something that is where that counts."""
        if resource.urn in self.excludes:
            return True
        return self._exclude_dependents and any(
            urn in self._actual_excludes for urn in graph.all_of(resource)
        )

    def follow(self, resource: Resource, included: bool) -> None:
        """Note the outcome, for dependents yet to come."""
        if self.excludes.constrained and not included and self.excluded(resource):
            self._actual_excludes.add(resource.urn)
        elif included and self.targeted(resource):
            self._actual_targets.add(resource.urn)

    def replaces_urn(self, urn: str, old: Resource | None) -> bool:
        """Whether the user asked for a replacement."""
        return (self.replaces.constrained and urn in self.replaces) or (old is not None and old.taint)
