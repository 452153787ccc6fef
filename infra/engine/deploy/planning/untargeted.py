"""Resources that an operation is not about: left as they are, and written down with what needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.deploy import graph
from infra.engine.deploy.errors import DeploymentError, ReportedError
from infra.engine.deploy.steps.step import Step, same

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.state.model import Resource


class Untargeted:
    """Plans what stays, beside what ``--target`` or ``--exclude`` leave in."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._decided = deployment.decisions
        self._scope = deployment.scope
        self._ledger = deployment.ledger
        self._report = deployment.report
        self._queued: list[Step] = []

    def leave(self, old: Resource, urn: str) -> list[Step]:
        """A resource that the operation is not about stays as it is, and so does what it needs."""
        steps: list[Step] = []
        self._leave_behind(old, urn, steps)
        return steps

    def _leave_behind(self, old: Resource, urn: str, steps: list[Step]) -> None:
        if old.delete:
            return
        self._decided.urns.add(old.urn)
        self._decided.sames.update((urn, old.urn))
        for needed in dict.fromkeys(graph.all_of(old)):
            if self._decided.stepped(needed) or self._decided.operated(needed):
                continue
            before = self._ledger.old(needed)
            if before is None:
                raise DeploymentError(
                    f"dependency {needed} of untargeted resource {urn} has no old state", urn
                )
            self._leave_behind(before, needed, steps)
        steps.append(same(old, replace(old), untargeted=True))

    def queue_dependencies(self, new: Resource) -> None:
        """Have what a target needs written down with it."""
        if self._scope.targets.constrained:
            for urn in graph.all_of(new):
                self.queue(urn)

    def queue(self, urn: str) -> None:
        """Have a resource of the old state that a target needs written down with it."""
        decided = self._decided
        old = self._ledger.old(urn)
        if not urn or decided.stepped(urn) or urn in decided.queued or old is None:
            return
        decided.queued.add(urn)
        for needed in graph.all_of(old):
            self.queue(needed)
        self._queued.append(same(old, replace(old), untargeted=True))

    def released(self) -> list[Step]:
        """The steps that were queued, for those that nothing else has come to."""
        queued, self._queued = self._queued, []
        released = [
            step
            for step in queued
            if not self._decided.stepped(step.urn) and not self._decided.operated(step.urn)
        ]
        for step in released:
            self._decided.urns.add(step.urn)
            self._decided.sames.add(step.urn)
        return released

    def checked(self, steps: list[Step]) -> list[Step]:
        """``steps`` themselves. Complains of one that depends on a resource that is left out."""
        for step in steps:
            self._deployment.constraints.step(
                step.urn, step.op, self._decided.aliased.get(step.urn, step.urn)
            )
        if not (self._scope.targets.constrained or self._scope.replaces.constrained):
            return steps
        for step in steps:
            if step.new is None or step.skipped:
                continue
            for urn in graph.all_of(step.new):
                if urn in self._decided.skipped_creates:
                    self._report.error(
                        f"Resource '{step.urn}' depends on '{urn}' "
                        "which was was not specified in --target list.",
                        step.urn,
                    )
                    self._deployment.failed = True
                    if not self._deployment.preview:
                        raise ReportedError("untargeted create", step.urn)
                    self._decided.skipped_creates.discard(urn)
        return steps
