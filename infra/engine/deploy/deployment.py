"""One deployment: the state that planning, running and finishing share, and what a program can ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from infra.engine.deploy import graph, urns
from infra.engine.deploy.contract import Change, Journal, Op, UpdateRequest
from infra.engine.deploy.errors import DeploymentError, ReportedError, StoppedError
from infra.engine.deploy.operations.rehearsal import Rehearsal
from infra.engine.deploy.planning.decisions import Decisions, Scope
from infra.engine.deploy.planning.plan import Constraints
from infra.engine.deploy.planning.planner import Planner
from infra.engine.deploy.registration import Reading, Registered, Registration, Result
from infra.engine.deploy.steps.executor import Executor, StepFailedError
from infra.engine.deploy.steps.hooks import Hooks
from infra.engine.deploy.steps.ledger import Ledger
from infra.engine.deploy.steps.report import Report
from infra.engine.deploy.steps.step import Step
from infra.engine.providers.contract import ProviderError
from infra.engine.providers.registry import Load, Registry
from infra.engine.values import Properties
from infra.engine.values.compare import equal

if TYPE_CHECKING:
    from infra.engine.state.model import Resource


class Deployment:
    """Registrations in, steps and their outcome out.

    ``stopped`` is set once nothing new is to be begun; ``failed`` once the update can't succeed any more,
    ``bailed`` if that was for a reason that needs no further word.
    """

    def __init__(self, request: UpdateRequest, journal: Journal, report: Report, load: Load) -> None:
        self.request = request
        self.preview = request.kind == "preview"
        self.journal = journal
        self.report = report
        self.decisions = Decisions()
        self.scope = Scope(request)
        self.ledger = Ledger(request.snapshot.resources if request.snapshot else ())
        self.registry = Registry(load, self.preview, self._provider_resource)
        self.constraints = Constraints(request.plan, request.generate_plan)
        self.hooks = Hooks(report, self.preview)
        self.stopped = anyio.Event()
        self.failed = False
        self.bailed = False
        self.planner = Planner(self)
        self.executor = Executor(self)
        self.rehearsal: Rehearsal | None = None
        self.unsettled = request.snapshot.pending_operations if request.snapshot else ()
        self._stack_outputs: tuple[str, Properties] | None = None

    def _provider_resource(self, urn: str) -> Resource | None:
        return self.ledger.old(urn) or self.ledger.new(urn)

    def latest(self, resource: Resource) -> Resource:
        """The latest version of a resource that was found in the state."""
        return self.ledger.latest(resource)

    def stop(self) -> None:
        """Begin nothing new; what is under way is finished."""
        self.stopped.set()

    async def settled(self) -> None:
        """Wait until no step is under way."""
        await self.executor.settled()

    def fail(self, error: Exception, urn: str = "") -> None:
        """The update has failed: tell the user, unless that was done, and stop."""
        if not isinstance(error, ReportedError):
            self.report.error(str(error), urn or getattr(error, "urn", ""))
        self.failed = True
        self.bailed = True
        self.stop()

    def needs(self, resource: Resource) -> Iterator[str]:
        """What has to be there for a resource."""
        return graph.all_of(resource)

    async def register(self, registration: Registration) -> Registered:
        """Make a resource be as the program wants it.

        Raises StoppedError when the deployment doesn't go on.
        """
        if self.stopped.is_set():
            raise StoppedError
        try:
            if self.rehearsal is not None:
                return await self.rehearsal.register(registration)
            steps = await self.planner.register(registration, self._import)
        except StepFailedError as error:
            if self.stopped.is_set():
                raise StoppedError from error
            return Registered(error.urn, result=Result.FAILED)
        except (DeploymentError, ProviderError, ValueError) as error:
            urn = self.planner.naming.urn(registration.parent, registration.type, registration.name)
            if not isinstance(error, StoppedError):
                self.fail(error, urn)
            raise StoppedError from error
        if not steps:
            urn = self.planner.naming.urn(registration.parent, registration.type, registration.name)
            adopted = self.ledger.new(urn)
            return Registered(urn, adopted.id if adopted else "", adopted.outputs if adopted else {})
        return await self.executor.run(steps)

    async def _import(self, step: Step) -> Resource:
        swap = [replace(step, op=Op.REPLACE)] if step.op is Op.IMPORT_REPLACEMENT else []
        made = await self.executor.chain([step, *swap])
        if made is None:
            raise ReportedError(f"importing {step.urn} found nothing", step.urn)
        return made

    async def read(self, reading: Reading) -> Registered:
        """Look at a resource. Raises StoppedError when the deployment doesn't go on."""
        if self.stopped.is_set():
            raise StoppedError
        if self.rehearsal is not None:
            return self.rehearsal.read(reading)
        try:
            steps = self.planner.read(reading)
        except DeploymentError as error:
            self.fail(error)
            raise StoppedError from error
        return await self.executor.run(steps)

    async def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Take a component's outputs.

        The stack's are kept for the end, when it is known how the update went.
        """
        if self.stopped.is_set():
            raise StoppedError
        if self.rehearsal is not None:
            return
        if urns.qualified_type(urn) == urns.ROOT_TYPE:
            self._stack_outputs = (urn, outputs)
            return
        try:
            await self._complete(urn, outputs)
        except DeploymentError as error:
            self.fail(error, urn)
            raise StoppedError from error

    async def finish_stack(self, failed: bool) -> None:
        """Write the stack's outputs down; those of an update that failed are put over the old ones."""
        if self._stack_outputs is None:
            return
        urn, outputs = self._stack_outputs
        old = self.ledger.old(urn)
        if failed and old is not None:
            outputs = {**old.outputs, **outputs}
        try:
            await self._complete(urn, outputs)
        except DeploymentError as error:
            self.fail(error, urn)

    async def _complete(self, urn: str, outputs: Properties) -> None:
        step = self.executor.awaiting(urn)
        if step.skipped or step.new is None:
            return
        old = self.ledger.old(urn)
        self.constraints.outputs(urn, old.outputs if old else {}, outputs)
        new = replace(step.new, outputs=outputs)
        known = step.old is not None and equal(dict(step.old.outputs), dict(outputs))
        change = Change(replaces=((step.new, new),), minor=known)
        self.ledger.apply(change)
        if not self.preview:
            await self.journal.end(None, change)
        if not new.custom:
            kind = {"create": "AfterCreate", "update": "AfterUpdate"}.get(str(step.op), "")
            await self.hooks.run(kind, step.old, new)
        self.report.outputs(replace(step, new=new))

    async def supersede(self, before: Resource, after: Resource) -> None:
        """Have another version of a resource stand where one stood."""
        change = Change(replaces=((before, after),))
        self.ledger.apply(change)
        if not self.preview:
            await self.journal.end(None, change)

    async def analyze(self, new: Resource) -> bool:
        """Ask the policies about a resource; True when one forbids it."""
        forbidden = False
        for analyzer in self.request.analyzers:
            for violation in await analyzer.analyze(new.urn, new.type, urns.name_of(new.urn), new.inputs):
                self.report.violation(new.urn, violation)
                if violation.level == "mandatory":
                    self.failed = True
                    forbidden = forbidden or not self.preview
        return forbidden

    async def analyze_stack(self) -> None:
        """Ask the policies about the stack as a whole."""
        for analyzer in self.request.analyzers:
            for urn, violation in await analyzer.analyze_stack(self.ledger.made()):
                self.report.violation(urn, violation)
                self.failed = self.failed or violation.level == "mandatory"
