"""Runs planned steps: told, written down, done, written down; many resources side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from infra.engine.deploy.contract import Change, Op
from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.deploy.registration import Registered, Result
from infra.engine.deploy.steps.actions import Actions, Applied, ProtectedError
from infra.engine.deploy.steps.step import Step
from infra.engine.providers.contract import InitError, ProviderError, UnknownOutcomeError
from infra.engine.state.model import Operation, OperationType, Resource

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_OPERATIONS: dict[Op, OperationType] = {
    Op.CREATE: "creating",
    Op.CREATE_REPLACEMENT: "creating",
    Op.UPDATE: "updating",
    Op.DELETE: "deleting",
    Op.DELETE_REPLACED: "deleting",
    Op.READ_DISCARD: "deleting",
    Op.DISCARD_REPLACED: "deleting",
    Op.READ: "reading",
    Op.READ_REPLACEMENT: "reading",
    Op.IMPORT: "importing",
    Op.IMPORT_REPLACEMENT: "importing",
}
_NOTHING, _PARTIAL, _UNKNOWN = 0, 1, 2


class StepFailedError(DeploymentError):
    """A step has failed, and the user has been told."""


class Executor:
    """Runs steps, at most ``parallel`` resources at a time."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._actions = Actions(deployment)
        self._limit = anyio.CapacityLimiter(max(1, deployment.request.parallel))
        self._pending: dict[str, Step] = {}
        self._running = 0
        self._idle = anyio.Event()
        self.failed: list[Resource] = []
        self.unfinished: set[str] = set()

    async def run(self, steps: Sequence[Step]) -> Registered:
        """Run a resource's steps in order, and answer what the program is told.

        Raises StoppedError when nothing is to be begun any more.
        """
        last = steps[-1]
        if any(urn in self.unfinished for urn in self._deployment.needs(last.resource)):
            self.unfinished.add(last.urn)
            return Registered(last.urn, result=Result.SKIPPED)
        try:
            made = await self.chain(steps)
        except StepFailedError:
            self.unfinished.add(last.urn)
            if self._deployment.stopped.is_set():
                raise StoppedError from None
            return Registered(last.urn, result=Result.FAILED)
        new = made or last.resource
        outputs = new.outputs if new.custom else {}
        return Registered(new.urn, new.id, outputs, unknown=last.skipped)

    async def chain(self, steps: Sequence[Step]) -> Resource | None:
        """Run steps one after the other, and answer the resource that they have made, if any."""
        made: Resource | None = None
        self._running += 1
        try:
            async with self._limit:
                for step in steps:
                    if self._deployment.stopped.is_set():
                        raise StoppedError
                    current = replace(step, new=made) if made is not None and step.op is Op.REPLACE else step
                    after = await self._execute(current)
                    if after is not None and step.op is not Op.REPLACE and step.urn == steps[-1].urn:
                        made = after
        finally:
            self._running -= 1
            self._idle.set()
            self._idle = anyio.Event()
        return made

    async def settled(self) -> None:
        """Wait until no step is under way."""
        while self._running:
            await self._idle.wait()

    async def _execute(self, step: Step) -> Resource | None:
        deployment = self._deployment
        deployment.report.begin(step)
        operation = self._operation(step)
        if operation is not None:
            await deployment.journal.begin(operation)
        try:
            applied = await self._actions.apply(step)
        except (ProviderError, DeploymentError) as error:
            if operation is not None and not _is_open(operation, error):
                await deployment.journal.end(operation, Change())
            self._fail(step, error, _NOTHING if isinstance(error, DeploymentError) else _UNKNOWN)
            raise StepFailedError(str(error), step.urn) from error
        await self._settle(step, operation, applied)
        return applied.new

    async def _settle(self, step: Step, operation: Operation | None, applied: Applied) -> None:
        deployment = self._deployment
        done = replace(step, new=applied.new)
        if step.op is not Op.REPLACE:
            deployment.ledger.apply(applied.change)
            if applied.new is not None:
                deployment.constraints.made(applied.new)
        if not deployment.preview and step.op is not Op.REPLACE and not step.skipped:
            await deployment.journal.end(operation, applied.change)
        if applied.failure is not None:
            self._fail(done, applied.failure, _PARTIAL)
            raise StepFailedError(str(applied.failure), step.urn)
        if step.logical and applied.new is not None:
            self._pending[step.urn] = done
        elif step.op is Op.CREATE_REPLACEMENT and applied.new is not None:
            self._pending[step.urn] = replace(done, op=Op.REPLACE)
        deployment.report.done(done)

    def _operation(self, step: Step) -> Operation | None:
        kind = _OPERATIONS.get(step.op)
        if kind is None or self._deployment.preview:
            return None
        return Operation(step.resource, kind)

    def _fail(self, step: Step, error: Exception, status: int) -> None:
        self._deployment.report.failed(step, failure_text(error), status)
        self.failed.append(step.old or step.resource)
        going_on = self._deployment.request.continue_on_error or isinstance(error, ProtectedError)
        self._deployment.failed = True
        if not going_on:
            self._deployment.stop()

    def awaiting(self, urn: str) -> Step:
        """The step of a component whose outputs have not come yet. Raises DeploymentError for any other."""
        step = self._pending.pop(urn, None)
        if step is None:
            raise DeploymentError(f"cannot complete a resource '{urn}' whose registration isn't pending", urn)
        return step


def _is_open(operation: Operation, error: Exception) -> bool:
    """Whether what the operation came to is left for the next update to find out."""
    return isinstance(error, UnknownOutcomeError) and operation.type not in {"reading", "importing"}


def failure_text(error: Exception) -> str:
    """What a failure is called towards the user."""
    if isinstance(error, InitError):
        reasons = "".join(f"\n\t* {reason}" for reason in error.reasons)
        count = len(error.reasons)
        return f"{count} error{'s' if count != 1 else ''} occurred:{reasons}\n\n"
    return str(error)
