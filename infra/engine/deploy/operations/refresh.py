"""Refresh: read every resource from its provider, and have the state say what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from infra.engine.deploy import graph, states, urns
from infra.engine.deploy.contract import Op
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.planning import differ
from infra.engine.deploy.steps.executor import failure_text
from infra.engine.deploy.steps.step import Step
from infra.engine.providers.contract import Diff, Found, InitError, ProviderError, Target
from infra.engine.state.model import Resource, timestamp
from infra.engine.values.compare import edits, equal

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment


@dataclass(frozen=True, slots=True)
class _Outcome:
    step: Step
    result: Op
    new: Resource | None


class Refresh:
    """Refreshes the resources that a deployment is about."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._limit = anyio.CapacityLimiter(max(1, deployment.request.parallel))

    async def run(self, only_before_update: bool = False) -> None:
        """Read, and start the ledger anew from what is there; one that can't be read fails the update."""
        outcomes: dict[int, _Outcome] = {}
        async with anyio.create_task_group() as group:
            for index, resource in enumerate(self._chosen(only_before_update)):
                if resource is not None:
                    group.start_soon(self._one, index, resource, outcomes)
        resources = _rebuilt(
            self._deployment.ledger.found(), {index: outcome.new for index, outcome in outcomes.items()}
        )
        self._deployment.ledger.rebase(resources)

    def _chosen(self, only_before_update: bool) -> list[Resource | None]:
        """The resources found, with None for each that is not to be refreshed."""
        scope, request = self._deployment.scope, self._deployment.request
        targets, excludes = scope.targets.copy(), scope.excludes.copy()
        chosen: list[Resource | None] = []
        for resource in self._deployment.ledger.found():
            needs = set(graph.all_of(resource))
            wanted = not (only_before_update and not resource.refresh_before_update)
            if excludes.constrained:
                if resource.urn in excludes or (
                    request.exclude_dependents and any(urn in excludes for urn in needs)
                ):
                    excludes.add(resource.urn)
                    wanted = False
            elif resource.urn not in targets:
                if request.target_dependents and any(urn in targets for urn in needs):
                    targets.add(resource.urn)
                else:
                    wanted = False
            chosen.append(resource if wanted and not resource.view_of else None)
        return chosen

    async def _one(self, index: int, resource: Resource, outcomes: dict[int, _Outcome]) -> None:
        deployment = self._deployment
        step = Step(Op.REFRESH, resource, resource)
        async with self._limit:
            if deployment.stopped.is_set():
                return
            deployment.report.begin(step)
            try:
                outcome = await self._read(step, resource)
            except (ProviderError, DeploymentError) as error:
                deployment.report.failed(step, failure_text(error), 2)
                deployment.failed = True
                return
        outcomes[index] = outcome
        deployment.report.done(outcome.step, outcome.result)

    async def _read(self, step: Step, old: Resource) -> _Outcome:
        if not old.custom or urns.is_provider(old.type) or old.pending_replacement:
            return _Outcome(step, Op.SAME, old)
        provider = await self._deployment.registry.ensure(old.provider)
        target = Target(old.urn, old.type, urns.name_of(old.urn), old.custom_timeouts.get("read", 0))
        init_errors: tuple[str, ...] = ()
        try:
            found = await provider.read(target, old.id, old.inputs, old.outputs)
        except InitError as error:
            found = Found(error.id, error.outputs, error.inputs)
            init_errors = error.reasons
            listed = "\n* ".join(error.reasons)
            self._deployment.report.warning(
                f"Refreshed resource is in an unhealthy state:\n* {listed}", old.urn
            )
        if not found.id:
            return _Outcome(replace(step, new=None), Op.DELETE, None)
        inputs = old.inputs if found.inputs is None else found.inputs
        new = states.with_secrets(
            replace(
                old,
                id=found.id,
                inputs=inputs,
                outputs=found.outputs,
                init_errors=init_errors,
                refresh_before_update=found.refresh_before_update,
            )
        )
        if not equal(dict(inputs), dict(old.inputs)) or not equal(dict(new.outputs), dict(old.outputs)):
            new = replace(new, modified=timestamp())
        if old.external:
            changed = bool(edits(dict(old.outputs), dict(new.outputs)))
            return _Outcome(replace(step, new=new), Op.UPDATE if changed else Op.SAME, new)
        found_diff: Diff = differ.inverted(
            await differ.diff(provider, target, new, old.inputs, old.ignore_changes)
        )
        after = replace(step, new=new, diffs=found_diff.changed, detailed=found_diff.detailed or None)
        return _Outcome(after, Op.UPDATE if found_diff.changes else Op.SAME, new)


def _rebuilt(found: list[Resource], outcomes: Mapping[int, Resource | None]) -> list[Resource]:
    """The list with what was read, and without what is gone: nobody is left depending on that."""
    resources: list[Resource] = []
    there: set[str] = set()
    parents: dict[str, str] = {}
    for index, before in enumerate(found):
        resource = outcomes.get(index, before)
        if resource is None:
            parents[before.urn] = before.parent
            continue
        parent = resource.parent
        while parent and parent not in there and parent in parents:
            parent = parents[parent]
        resource = replace(
            resource,
            parent=parent,
            dependencies=_kept(resource.dependencies, there),
            property_dependencies={
                key: kept
                for key, each in resource.property_dependencies.items()
                if (kept := _kept(each, there))
            },
            deleted_with=resource.deleted_with if resource.deleted_with in there else "",
            replace_with=_kept(resource.replace_with, there),
        )
        resources.append(resource)
        there.add(resource.urn)
        parents[resource.urn] = resource.parent
    return resources


def _kept(wanted: tuple[str, ...], there: set[str]) -> tuple[str, ...]:
    return tuple(urn for urn in wanted if urn in there)
