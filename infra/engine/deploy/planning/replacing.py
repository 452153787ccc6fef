"""Replacements: before or after, and what else has to go when a resource is deleted first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.engine.deploy import states, urns
from infra.engine.deploy.contract import Op
from infra.engine.deploy.errors import DeploymentError, ReportedError
from infra.engine.deploy.planning import differ
from infra.engine.deploy.steps.step import Step, delete, delete_replaced
from infra.engine.providers.contract import Diff, Provider, Target
from infra.engine.values import UNKNOWN, Properties

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.deploy.planning.wish import Wish
    from infra.engine.state.model import Resource


@dataclass(frozen=True, slots=True)
class Dependent:
    """A resource that is replaced because of another, and the properties that make it so."""

    resource: Resource
    keys: tuple[str, ...] = ()


class Replacing:
    """Plans replacements."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._decided = deployment.decisions
        self._ledger = deployment.ledger
        self._report = deployment.report

    async def replace(self, wish: Wish, old: Resource, found: Diff) -> list[Step]:
        """Steps that replace ``old``. Raises ReportedError for one that is protected."""
        self._permitted(wish, old, found)
        self._decided.replaces.add(wish.urn)
        new = await self._checked_anew(wish, old)
        first = found.delete_before_replace
        if wish.registration.delete_before_replace is not None:
            first = wish.registration.delete_before_replace
        create = Step(
            Op.CREATE_REPLACEMENT,
            old,
            new,
            keys=found.replaces,
            diffs=found.changed,
            detailed=found.detailed or None,
            pending_delete=not first,
        )
        swap = replace(create, op=Op.REPLACE)
        if not first:
            return [create, swap]
        before = await self._deletions(wish, old)
        return [*before, swap, create]

    def _permitted(self, wish: Wish, old: Resource, found: Diff) -> None:
        deployment, urn = self._deployment, wish.urn
        if wish.new.protect and old.protect and not deployment.request.ignore_protect:
            message = (
                f'unable to replace resource "{urn}"\n'
                "as it is currently marked for protection. To unprotect the resource, "
                "remove the `protect` flag from the resource in your Pulumi "
                "program and run `pulumi up`"
            )
            self._report.error(message, urn)
            deployment.failed = True
            if not deployment.preview:
                raise ReportedError(message, urn)
        if wish.registration.import_id:
            keys = "\n".join(
                f"{key}: {states.redacted(old.inputs.get(key))} => "
                f"{states.redacted(wish.new.inputs.get(key))}"
                for key in found.replaces
            )
            message = (
                "previously-imported resources that still specify an ID may not be replaced; "
                f"please remove the `import` declaration from your program;\n{keys}"
            )
            if not deployment.preview:
                raise DeploymentError(message, urn)
            self._report.warning(message, urn)

    async def _checked_anew(self, wish: Wish, old: Resource) -> Resource:
        """A replacement's defaults are not the old resource's: its name, above all."""
        if wish.provider is None or self._deployment.scope.replaces_urn(wish.urn, old):
            return wish.new
        checked = await wish.provider.check(wish.target, {}, wish.registration.properties, wish.seed)
        if checked.failures:
            reasons = "; ".join(failure.reason for failure in checked.failures)
            raise DeploymentError(
                f"{wish.new.type} resource '{wish.target.name}' has a problem: {reasons}", wish.urn
            )
        return replace(wish.new, inputs=checked.inputs)

    async def _deletions(self, wish: Wish, old: Resource) -> list[Step]:
        """Delete ``old``, and before it, last first, whatever can't be without it."""
        decided, ledger = self._decided, self._ledger
        doomed = await self._dependents(old) if old in ledger.graph else []
        doomed += self._cascading(wish.urn)
        planned: list[Step] = []
        for dependent in reversed(doomed):
            resource = dependent.resource
            if ledger.slot(resource) in decided.gone:
                continue
            self._deployment.constraints.expect(resource.urn)
            decided.dependent_keys[resource.urn] = dependent.keys
            if resource.delete:
                planned.append(delete(resource))
            else:
                self._unprotected(resource, wish.urn)
                planned.append(delete_replaced(resource, pending_replacement=True))
            decided.deletes.add(resource.urn)
            decided.gone.add(ledger.slot(resource))
        await self._deployment.registry.ensure(old.provider)
        if not old.pending_replacement:
            decided.deletes.add(old.urn)
            decided.gone.add(ledger.slot(old))
            planned.append(delete_replaced(old, pending_replacement=True))
        return planned

    def _unprotected(self, resource: Resource, because: str) -> None:
        if resource.protect and not self._deployment.request.ignore_protect:
            message = (
                f'unable to replace resource "{resource.urn}" as part of replacing "{because}" '
                "as it is currently marked for protection. To unprotect the resource, "
                "remove the `protect` flag from the resource in your Pulumi "
                "program and run `pulumi up`, or use the command:\n"
                f"`pulumi state unprotect '{resource.urn}'`"
            )
            self._report.error(message, because)
            raise ReportedError(message, because)

    async def _dependents(self, root: Resource) -> list[Dependent]:
        """What has to be replaced because ``root`` is deleted first.

        Whatever its provider says can't change in place.
        """
        doomed: list[Dependent] = []
        condemned = {root.urn}
        for candidate in self._ledger.graph.depending_on(
            root, self._decided.impossible_dependents(), children=False
        ):
            found = await self._condemned(candidate, condemned)
            if found is not None:
                doomed.append(found)
                condemned.add(candidate.urn)
        return doomed

    async def _condemned(self, resource: Resource, condemned: set[str]) -> Dependent | None:
        if not resource.custom or resource.external:
            return None
        if resource.provider and urns.parse_reference(resource.provider)[0] in condemned:
            await self._deployment.registry.ensure(resource.provider)
            return Dependent(resource)
        if resource.deleted_with in condemned:
            return Dependent(resource)
        inputs: Properties = {}
        touched = False
        for key, value in resource.inputs.items():
            depends = condemned.intersection(resource.property_dependencies.get(key, ()))
            inputs[key] = UNKNOWN if depends else value
            touched = touched or bool(depends)
        if not touched:
            return None
        provider = await self._provider(resource)
        target = Target(resource.urn, resource.type, urns.name_of(resource.urn))
        found = await differ.diff(provider, target, resource, inputs, resource.ignore_changes)
        found = differ.replace_on_changes(found, resource.replace_on_changes, init_errors=False)
        return Dependent(resource, found.replaces) if differ.takes_replacement(found) else None

    async def _provider(self, resource: Resource) -> Provider:
        registry = self._deployment.registry
        if urns.is_provider(resource.type):
            await registry.same(resource)
            return registry
        return await registry.ensure(resource.provider)

    def _cascading(self, urn: str) -> list[Dependent]:
        """What asked to be replaced, or deleted, with ``urn``."""
        candidates = [*self._ledger.made(), *self._ledger.found()]
        seen: dict[str, Dependent] = {}
        for resource in candidates:
            if urn in resource.replace_with or resource.deleted_with == urn:
                old = self._ledger.old(resource.urn)
                if old is not None:
                    seen.setdefault(resource.urn, Dependent(old))
        return list(seen.values())

    async def provider_changed(self, old: Resource, new: Resource) -> bool:
        """Whether another provider means another resource: only if their configurations say so."""
        if old.provider == new.provider:
            return False
        if not old.provider or not new.provider:
            return True
        old_urn, _ = urns.parse_reference(old.provider)
        new_urn, _ = urns.parse_reference(new.provider)
        if self._decided.aliased.get(old_urn) == new_urn:
            return False
        before, after = self._ledger.old(old_urn), self._decided.provider_resources.get(new_urn)
        provider = self._deployment.registry.get(new.provider)
        if provider is None or after is None:
            raise DeploymentError(f'failed to resolve provider reference: "{new.provider}"', new.urn)
        if before is None:
            return True
        target = Target(new_urn, after.type, urns.name_of(new_urn))
        found = await provider.diff_config(target, before.inputs, after.inputs, ())
        return differ.takes_replacement(found)
