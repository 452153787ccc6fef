"""The program run ahead of a destroy or refresh, for its providers and its hooks: nothing is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.registration import Reading, Registered, Registration
from infra.engine.providers.contract import Target

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_NO_SEED = b""


class Rehearsal:
    """Answers a program from the state as it is: what isn't there is unknown."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    async def register(self, wanted: Registration) -> Registered:
        """The resource as the state has it; a provider is made ready as the program configures it now."""
        naming = self._deployment.planner.naming
        urn = naming.urn(wanted.parent, wanted.type, wanted.name)
        if urns.is_provider(wanted.type):
            return await self._provider(urn, wanted)
        old, _, _ = naming.find(urn, wanted.name, wanted.type, wanted.parent, wanted.aliases)
        if not wanted.custom:
            return Registered(urn)
        return Registered(urn, unknown=True) if old is None else Registered(urn, old.id, old.outputs)

    async def _provider(self, urn: str, wanted: Registration) -> Registered:
        registry = self._deployment.registry
        target = Target(urn, wanted.type, wanted.name)
        old = self._deployment.ledger.old(urn)
        checked = await registry.check(target, old.inputs if old else {}, wanted.properties, _NO_SEED)
        if checked.failures:
            reasons = "; ".join(failure.reason for failure in checked.failures)
            raise DeploymentError(f"{wanted.type} resource '{wanted.name}' has a problem: {reasons}", urn)
        if old is None:
            made = await registry.create(target, checked.inputs, self._deployment.preview)
            return Registered(urn, made.id, made.outputs)
        outputs = await registry.update(
            target, old.id, old.inputs, old.outputs, checked.inputs, (), self._deployment.preview
        )
        return Registered(urn, old.id, outputs)

    def read(self, wanted: Reading) -> Registered:
        """The resource as the state has it."""
        urn = self._deployment.planner.naming.urn(wanted.parent, wanted.type, wanted.name)
        old = self._deployment.ledger.old(urn)
        return Registered(urn, unknown=True) if old is None else Registered(urn, old.id, old.outputs)
