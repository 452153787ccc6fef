"""The end of an update.

What the program no longer asks for is deleted, dependents before what they depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from infra.engine.deploy import urns
from infra.engine.deploy.contract import Op
from infra.engine.deploy.errors import ReportedError, StoppedError
from infra.engine.deploy.graph import Graph
from infra.engine.deploy.planning.targets import Targets
from infra.engine.deploy.steps.executor import StepFailedError
from infra.engine.deploy.steps.step import Step, delete, delete_replaced, same

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment


class Deletes:
    """Plans and runs the deletions of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._decided = deployment.decisions
        self._ledger = deployment.ledger
        self._scope = deployment.scope

    async def run(self) -> None:
        """Delete what is left over. Raises DeploymentError where the plan doesn't allow it."""
        sames, doomed = await self._plan()
        for step in [*sames, *doomed]:
            self._deployment.constraints.step(step.urn, step.op)
        if self._allowed(doomed):
            for step in sames:
                await self._deployment.executor.chain([step])
            await self._delete(doomed)

    async def _plan(self) -> tuple[list[Step], list[Step]]:
        included = self._included()
        sames: list[Step] = []
        doomed: list[Step] = []
        for index, resource in enumerate(self._ledger.found()):
            if included is not None and resource.urn not in included:
                if not self._decided.operated(resource.urn):
                    sames.append(same(resource, replace(resource), untargeted=True))
                continue
            if resource.delete:
                if index in self._decided.gone:
                    continue
                doomed.append(delete_replaced(resource, pending_replacement=False))
            elif self._decided.operated(resource.urn):
                continue
            elif resource.pending_replacement:
                doomed.append(Step(Op.REMOVE_PENDING_REPLACE, resource))
            else:
                doomed.append(delete(resource))
            self._decided.deletes.add(resource.urn)
            if not self._deployment.preview and not urns.is_provider(resource.type):
                await self._deployment.registry.ensure(resource.provider)
        return sames, doomed

    def _included(self) -> set[str] | None:
        """The URNs that may be deleted, or None for all."""
        found = self._ledger.found()
        if self._scope.targets.constrained:
            return self._related(self._scope.targets, dependents=True, dependencies=False)
        if self._scope.excludes.constrained:
            kept = self._related(
                self._scope.excludes,
                dependents=self._deployment.request.exclude_dependents,
                dependencies=True,
            )
            return {resource.urn for resource in found} - kept
        return None

    def _related(self, targets: Targets, dependents: bool, dependencies: bool) -> set[str]:
        found = self._ledger.found()
        graph = Graph(found)
        frontier = [resource for resource in found if resource.urn in targets]
        related: set[str] = set()
        while frontier:
            resource = frontier.pop()
            if resource.urn in related:
                continue
            related.add(resource.urn)
            if dependencies:
                frontier += graph.dependencies_of(resource)
            if dependents:
                frontier += graph.depending_on(resource, related, children=True)
        return related

    def _allowed(self, doomed: Sequence[Step]) -> bool:
        """Whether nothing but targets is to be deleted; a preview shows what would be all the same."""
        refused = False
        if self._deployment.request.target_dependents:
            return True
        for step in doomed:
            if step.urn not in self._scope.targets:
                self._deployment.report.error(
                    f"Resource '{step.urn}' will be destroyed but was not specified in --target list.\n"
                    "Either include resource in --target list or pass --target-dependents to proceed.",
                    step.urn,
                )
                refused = True
        self._deployment.failed = self._deployment.failed or refused
        return not refused or self._deployment.preview

    async def _delete(self, doomed: Sequence[Step]) -> None:
        """Delete each once all that depend on it are gone; one that stays keeps what it depends on."""
        found = self._ledger.found()
        graph = Graph(found)
        condemned = {id(step.resource): step for step in doomed}
        waiting: dict[int, int] = dict.fromkeys(condemned, 0)
        needed: dict[int, list[int]] = {}
        for key, step in condemned.items():
            needed[key] = [id(each) for each in graph.dependencies_of(step.resource) if id(each) in condemned]
            for each in needed[key]:
                waiting[each] += 1
        kept = {
            id(each)
            for resource in self._deployment.executor.failed
            if resource in graph
            for each in graph.transitive_dependencies_of(resource)
        }
        async with anyio.create_task_group() as group:

            async def take_away(key: int) -> None:
                step = condemned[key]
                gone = key not in kept
                if gone:
                    try:
                        await self._deployment.executor.chain([step])
                    except StepFailedError:
                        gone = False
                    except StoppedError:
                        return
                for each in needed[key]:
                    if not gone:
                        kept.add(each)
                    waiting[each] -= 1
                    if not waiting[each]:
                        group.start_soon(take_away, each)

            for key in [key for key, dependents in waiting.items() if not dependents]:
                group.start_soon(take_away, key)


def check_targets(deployment: Deployment, targets: Targets) -> None:
    """Complain of URNs asked for that are nowhere. Raises ReportedError if there are any."""
    unknown = [
        urn
        for urn in targets.literals
        if not deployment.ledger.olds(urn) and urn not in deployment.decisions.urns
    ]
    for urn in unknown:
        forgot = "" if "$" in urn else " Did you forget to escape $ in your shell?"
        deployment.report.error(f"Target '{urn}' could not be found in the stack.{forgot}")
    if unknown:
        raise ReportedError("one or more targets could not be found in the stack")
