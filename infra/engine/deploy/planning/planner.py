"""From a registration to steps: found under its names, checked by its provider, decided on.

Source: pkg/resource/deploy/step_generator.go.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.deploy import states, urns
from infra.engine.deploy.contract import Op
from infra.engine.deploy.errors import DeploymentError, ReportedError
from infra.engine.deploy.planning import differ
from infra.engine.deploy.planning.deciding import Deciding
from infra.engine.deploy.planning.decisions import Decisions, Scope
from infra.engine.deploy.planning.naming import Naming
from infra.engine.deploy.planning.plan import Constraints
from infra.engine.deploy.planning.untargeted import Untargeted
from infra.engine.deploy.planning.wish import Wish
from infra.engine.deploy.registration import Reading, Registration
from infra.engine.deploy.steps.step import Step
from infra.engine.providers.contract import Failure, Provider

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.state.model import Resource

_SEED_BYTES = 32


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
        self._untargeted = Untargeted(deployment)
        self._deciding = Deciding(deployment, self._untargeted)

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
        self._untargeted.queue(provider_urn)
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
            self._untargeted.queue_dependencies(wish.new)
        old_inputs = wish.old.inputs if wish.old is not None and not fresh else {}
        if not wish.invalid:
            self._constraints.goal(
                wish.registration, wish.new, old_inputs, seed=wish.seed, fresh=wish.old is None
            )
        invalid = await self._deployment.analyze(wish.new)
        if wish.invalid or invalid:
            raise ReportedError(f"resource {wish.urn} is invalid", wish.urn)
        steps = await self._deciding.decide(wish, recreating, external, included)
        return self._untargeted.checked([*self._untargeted.released(), *steps])

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
