"""``pulumi import``: resources that are there already are taken into the state.

With no program asking for them.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from infra.engine.deploy import states, urns
from infra.engine.deploy.contract import Import, Op
from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.deploy.registration import Registration
from infra.engine.deploy.steps.executor import StepFailedError
from infra.engine.deploy.steps.step import Step, same

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_SEED_BYTES = 32


class Defaults(Protocol):
    """Default providers, made as they are needed."""

    async def reference(self, package: str, version: str, url: str = "") -> str:
        """The default provider of ``package``, as ``URN::ID``."""


class Importer:
    """Adopts resources one after the other."""

    def __init__(self, deployment: Deployment, defaults: Defaults) -> None:
        self._deployment = deployment
        self._defaults = defaults

    async def run(self) -> None:
        """Import all that the request names. Raises DeploymentError for what can't be."""
        deployment = self._deployment
        request = deployment.request
        name = f"{request.project}-{request.stack}"
        root = deployment.planner.naming.urn("", urns.ROOT_TYPE, name)
        deployment.decisions.urns.update(resource.urn for resource in deployment.ledger.found())
        if deployment.ledger.old(root) is None:
            await deployment.register(Registration(urns.ROOT_TYPE, name, custom=False))
        for wanted in request.imports:
            await self._one(wanted, wanted.parent or root)
        for resource in deployment.ledger.found():
            if deployment.ledger.new(resource.urn) is None:
                await deployment.executor.chain([same(resource, replace(resource), untargeted=True)])

    async def _one(self, wanted: Import, parent: str) -> None:
        deployment = self._deployment
        urn = deployment.planner.naming.urn(parent, wanted.type, wanted.name)
        if deployment.ledger.old(urn) is not None:
            raise DeploymentError(f"resource '{urn}' already exists", urn)
        if wanted.component:
            await deployment.register(Registration(wanted.type, wanted.name, custom=False, parent=parent))
            return
        provider = wanted.provider or await self._defaults.reference(
            urns.package_of(wanted.type), wanted.version
        )
        registration = Registration(
            wanted.type,
            wanted.name,
            custom=True,
            parent=parent,
            protect=wanted.protect,
            provider=provider,
            import_id=wanted.id,
        )
        # The id is how the resource was found; the state has it as the resource's own, and as nothing else.
        new = states.wanted(registration, urn, None, "")
        try:
            made = await deployment.executor.chain(
                [Step(Op.IMPORT, None, new, seed=secrets.token_bytes(_SEED_BYTES))]
            )
        except (StepFailedError, StoppedError):
            return
        if made is None:
            return
        adopted = replace(made, import_id="")
        if wanted.properties:
            kept = {key: value for key, value in made.inputs.items() if key in wanted.properties}
            adopted = replace(adopted, inputs=kept)
        await deployment.supersede(made, adopted)
