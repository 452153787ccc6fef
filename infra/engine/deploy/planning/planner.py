"""From a registration to steps: create, update, replace or leave alone.

Source: pkg/resource/deploy/step_generator.go.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.engine.deploy import graph, states, urns
from infra.engine.deploy.contract import Op
from infra.engine.deploy.errors import DeploymentError, ReportedError
from infra.engine.deploy.planning import differ
from infra.engine.deploy.planning.decisions import Decisions, Scope
from infra.engine.deploy.planning.naming import Naming
from infra.engine.deploy.planning.plan import Constraints
from infra.engine.deploy.planning.replacing import Replacing
from infra.engine.deploy.registration import Reading, Registration
from infra.engine.deploy.steps.step import Step, same
from infra.engine.providers.contract import Diff, Failure, Provider, Target
from infra.engine.providers.session import DiffUnavailableError
from infra.engine.values.compare import contains_unknown, equal

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.state.model import Resource

_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wish:
    """A registration on its way to steps."""

    registration: Registration
    urn: str
    old: Resource | None
    new: Resource
    provider: Provider | None
    seed: bytes
    invalid: bool = False
    imported: bool = False

    @property
    def target(self) -> Target:
        """How a provider is told which resource it is."""
        return Target(self.urn, self.new.type, urns.name_of(self.urn))


class Planner:
    """Plans one resource at a time, while others are being planned or made; what is decided is shared."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._decided: Decisions = deployment.decisions
        self._scope: Scope = deployment.scope
        self._ledger = deployment.ledger
        self._report = deployment.report
        self._constraints: Constraints = deployment.constraints
        request = deployment.request
        self.naming = Naming(request.stack, request.project, deployment.decisions, deployment.ledger)
        self._replacing = Replacing(deployment)
        self._queued: list[Step] = []

    def read(self, reading: Reading) -> list[Step]:
        """Steps for a resource that the program only looks at."""
        urn = self._claim(reading.parent, reading.type, reading.name)
        old, alias, _ = self.naming.find(urn, reading.name, reading.type, reading.parent, ())
        new = states.read(reading, urn, alias)
        if not new.id:
            raise DeploymentError(f"Expected an ID for {urn}", urn)
        if old is not None and not old.external and old.id != new.id:
            self._decided.replaces.add(urn)
            return [
                Step(Op.READ_REPLACEMENT, old, new, pending_delete=True),
                Step(Op.REPLACE, old, new, pending_delete=True),
            ]
        self._decided.reads.add(urn)
        return [Step(Op.READ, old, new)]

    async def register(
        self, registration: Registration, importing: Callable[[Step], Awaitable[Resource]]
    ) -> list[Step]:
        """Steps for a resource that the program wants; ``importing`` runs an import, answering what it found.

        Raises DeploymentError when the resource can't be planned.
        """
        urn = self._claim(registration.parent, registration.type, registration.name)
        old, alias, problems = self.naming.find(
            urn, registration.name, registration.type, registration.parent, registration.aliases
        )
        for problem in problems:
            self._report.error(problem, urn)
        new = states.wanted(registration, urn, old, alias)
        if alias and urns.is_provider(new.type):
            self._deployment.registry.rename(urn, alias)
        self._decided.provider_resources[urn] = new
        provider = await self._provider(urn, registration)
        seed = self._constraints.seed(urn) or secrets.token_bytes(_SEED_BYTES)
        wish = Wish(registration, urn, old, new, provider, seed, invalid=bool(problems))
        if self._is_import(wish):
            wish = await self._import(wish, importing)
        return await self._plan(wish)

    def _claim(self, parent: str, type_: str, name: str) -> str:
        if parent and parent not in self._decided.urns:
            raise DeploymentError(f"could not find parent resource {parent}")
        urn = self.naming.urn(parent, type_, name)
        if urn in self._decided.urns:
            message = f"Duplicate resource URN '{urn}'; try giving it a unique name"
            self._report.error(message, urn)
            raise ReportedError(message, urn)
        self._decided.urns.add(urn)
        return urn

    async def _provider(self, urn: str, registration: Registration) -> Provider | None:
        if not registration.custom:
            return None
        registry = self._deployment.registry
        if urns.is_provider(registration.type):
            return registry
        reference = registration.provider
        try:
            provider_urn, provider_id = urns.parse_reference(reference)
        except ValueError as error:
            self._report.error(f"bad provider reference '{reference}' for resource '{urn}': {error}", urn)
            raise ReportedError(str(error), urn) from error
        found = registry.get(reference)
        if found is not None:
            return found
        old = self._ledger.old(provider_urn)
        if old is None or old.id != provider_id:
            message = f"unknown provider '{reference}' for resource '{urn}'"
            self._report.error(message, urn)
            raise ReportedError(message, urn)
        provider = await registry.ensure(reference)
        self._queue(provider_urn)
        return provider

    def _is_import(self, wish: Wish) -> bool:
        wanted, old = wish.registration, wish.old
        if not wanted.custom or not wanted.import_id:
            return False
        return old is None or old.external or (old.import_id or old.id) != wanted.import_id

    async def _import(self, wish: Wish, importing: Callable[[Step], Awaitable[Resource]]) -> Wish:
        """Adopt what is there; from then on that is the old state.

        And the program's wish is compared with it.
        """
        self._decided.imports.add(wish.urn)
        recreating = wish.urn in self._decided.deletes
        replacing = wish.old is not None and not recreating
        op = Op.IMPORT_REPLACEMENT if replacing else Op.IMPORT
        found = await importing(
            Step(
                op,
                wish.old,
                wish.new,
                ignored=wish.registration.ignore_changes,
                pending_delete=replacing,
                seed=wish.seed,
            )
        )
        new = replace(
            wish.new, inputs=wish.registration.properties, created=found.created, modified=found.modified
        )
        return replace(wish, old=found, new=new, imported=True)

    async def _plan(self, wish: Wish) -> list[Step]:
        recreating = wish.urn in self._decided.deletes
        external = wish.old is not None and wish.old.external
        fresh = recreating or external or wish.old is None or self._scope.replaces_urn(wish.urn, wish.old)
        included = self._scope.includes(wish.new)
        wish = await self._check(wish, fresh, included)
        if included:
            self._queue_dependencies(wish.new)
        old_inputs = wish.old.inputs if wish.old is not None and not fresh else {}
        if not wish.invalid:
            self._constraints.goal(
                wish.registration, wish.new, old_inputs, seed=wish.seed, fresh=wish.old is None
            )
        invalid = await self._deployment.analyze(wish.new)
        if wish.invalid or invalid:
            raise ReportedError(f"resource {wish.urn} is invalid", wish.urn)
        steps = await self._decide(wish, recreating, external, included)
        return self._checked([*self._released(), *steps])

    async def _check(self, wish: Wish, fresh: bool, included: bool) -> Wish:
        inputs = wish.new.inputs
        if wish.old is not None:
            inputs, impossible = differ.ignore_changes(
                inputs, wish.old.inputs, wish.registration.ignore_changes
            )
            if impossible:
                elements = ", ".join(impossible)
                self._report.info(
                    f'cannot ignore changes in added or removed elements of the path: "{elements}"', wish.urn
                )
        if wish.provider is None:
            return replace(wish, new=replace(wish.new, inputs=inputs))
        old_inputs = wish.old.inputs if wish.old else {}
        if not included:
            return replace(wish, new=replace(wish.new, inputs=old_inputs))
        olds, news = ({}, wish.registration.properties) if fresh else (old_inputs, inputs)
        checked = await wish.provider.check(wish.target, olds, news, wish.seed)
        failed = self._failures(wish.new, checked.failures)
        return replace(wish, new=replace(wish.new, inputs=checked.inputs), invalid=wish.invalid or failed)

    def _failures(self, new: Resource, failures: tuple[Failure, ...]) -> bool:
        name = urns.name_of(new.urn)
        for failure in failures:
            if failure.property:
                given = new.inputs.get(failure.property)
                value = given if isinstance(given, str) else states.redacted(given)
                place = f"property {failure.property} value {{{value}}}"
                what = f"{new.type} resource '{name}': {place} has a problem"
            else:
                what = f"{new.type} resource '{name}' has a problem"
            self._report.error(f"{what}: {failure.reason}", new.urn)
        return bool(failures)

    async def _decide(self, wish: Wish, recreating: bool, external: bool, included: bool) -> list[Step]:
        decided, old, urn = self._decided, wish.old, wish.urn
        if recreating and old is not None:
            return self._recreate(wish, old)
        if external and old is not None:
            decided.creates.add(urn)
            return [
                Step(Op.CREATE_REPLACEMENT, old, wish.new, pending_delete=True),
                Step(Op.REPLACE, old, wish.new, pending_delete=True),
            ]
        self._scope.follow(wish.new, included)
        if old is None and not included:
            decided.sames.add(urn)
            decided.skipped_creates.add(urn)
            return [Step(Op.SAME, wish.new, wish.new, skipped=True)]
        if old is None:
            decided.creates.add(urn)
            return [Step(Op.CREATE, None, wish.new)]
        if not included:
            return self._leave(old, urn)
        return await self._compare(wish, old)

    def _recreate(self, wish: Wish, old: Resource) -> list[Step]:
        """Make again what was deleted along with something that it depended on."""
        self._decided.deletes.discard(wish.urn)
        self._decided.replaces.add(wish.urn)
        keys = self._decided.dependent_keys.get(wish.urn, ())
        old = self._ledger.old(old.urn) or old
        return [
            Step(Op.REPLACE, old, wish.new),
            Step(Op.CREATE_REPLACEMENT, old, wish.new, keys=keys),
        ]

    async def _compare(self, wish: Wish, old: Resource) -> list[Step]:
        wanted = wish.registration
        if not self._deployment.preview and contains_unknown(wish.new.replacement_trigger):
            message = f"replacement trigger contains unknowns for {wish.urn}"
            self._report.error(message, wish.urn)
            raise ReportedError(message, wish.urn)
        triggered = differ.triggered(wish.new.replacement_trigger, old.replacement_trigger)
        found = differ.CHANGED if triggered else await self._diff(wish, old)
        if wish.urn in self._decided.deletes:
            return self._recreate(wish, old)
        found = differ.replace_on_changes(found, wanted.replace_on_changes, bool(old.init_errors))
        must = differ.takes_replacement(found) or triggered or old.pending_replacement
        if (found.changes or old.pending_replacement) and must:
            return await self._replacing.replace(wish, old, found)
        if found.changes or old.init_errors:
            self._decided.updates.add(wish.urn)
            return [
                Step(
                    Op.UPDATE,
                    old,
                    wish.new,
                    diffs=found.changed,
                    detailed=found.detailed or None,
                    ignored=wanted.ignore_changes,
                )
            ]
        if wish.imported:
            return []
        self._decided.sames.add(wish.urn)
        return [same(old, wish.new)]

    async def _diff(self, wish: Wish, old: Resource) -> Diff:  # noqa: PLR0911 - one reason each
        new, decided = wish.new, self._decided
        if self._scope.replaces_urn(wish.urn, old):
            return Diff(changes=True, replaces=("id",))
        if any(urn in decided.replaces for urn in new.replace_with):
            return Diff(changes=True, replaces=("replaceWith",))
        if new.deleted_with and new.deleted_with in decided.replaces:
            return Diff(changes=True, replaces=("deletedWith",))
        if await self._replacing.provider_changed(old, new):
            return Diff(changes=True, replaces=("provider",))
        if wish.provider is None:
            return differ.SAME if equal(old.inputs, new.inputs) else differ.CHANGED
        try:
            return await differ.diff(
                wish.provider, wish.target, old, new.inputs, wish.registration.ignore_changes
            )
        except DiffUnavailableError as error:
            self._report.warning(str(error), wish.urn)
            return differ.CHANGED

    def _leave(self, old: Resource, urn: str) -> list[Step]:
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

    def _queue_dependencies(self, new: Resource) -> None:
        if self._scope.targets.constrained:
            for urn in graph.all_of(new):
                self._queue(urn)

    def _queue(self, urn: str) -> None:
        """Have a resource of the old state that a target needs written down with it."""
        decided = self._decided
        old = self._ledger.old(urn)
        if not urn or decided.stepped(urn) or urn in decided.queued or old is None:
            return
        decided.queued.add(urn)
        for needed in graph.all_of(old):
            self._queue(needed)
        self._queued.append(same(old, replace(old), untargeted=True))

    def _released(self) -> list[Step]:
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

    def _checked(self, steps: list[Step]) -> list[Step]:
        for step in steps:
            self._constraints.step(step.urn, step.op, self._decided.aliased.get(step.urn, step.urn))
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
