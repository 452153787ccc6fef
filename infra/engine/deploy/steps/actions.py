"""What each kind of step does: the call to the provider, and how the list of resources changes by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from infra.engine.deploy import states, urns
from infra.engine.deploy.contract import Change, Op
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.steps.step import Step
from infra.engine.providers.contract import Found, InitError, Provider, ProviderError, Target
from infra.engine.state.model import Resource, timestamp
from infra.engine.values.compare import equal
from infra.engine.values.wire import UNKNOWN_ID

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_MOST_RETRIES = 100
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a step: the resource, the change to the list, and why it did not come up if it didn't."""

    new: Resource | None
    change: Change
    failure: InitError | None = None


class Actions:
    """Carries out steps, one at a time or many side by side."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._preview = deployment.preview
        self._hooks = deployment.hooks
        self._actions: Mapping[Op, Callable[[Step], Awaitable[Applied]]] = {
            Op.SAME: self._same,
            Op.CREATE: self._create,
            Op.CREATE_REPLACEMENT: self._create,
            Op.UPDATE: self._update,
            Op.DELETE: self._delete,
            Op.DELETE_REPLACED: self._delete,
            Op.READ_DISCARD: self._delete,
            Op.DISCARD_REPLACED: self._delete,
            Op.READ: self._read,
            Op.READ_REPLACEMENT: self._read,
            Op.IMPORT: self._import,
            Op.IMPORT_REPLACEMENT: self._import,
            Op.REPLACE: self._replace,
            Op.REMOVE_PENDING_REPLACE: self._forget,
        }

    async def apply(self, step: Step) -> Applied:
        """Carry ``step`` out. Raises ProviderError or DeploymentError when it couldn't be."""
        return await self._actions[step.op](step)

    async def _same(self, step: Step) -> Applied:
        old, new = _both(step)
        if step.skipped:
            return Applied(new, Change())
        new = replace(new, id=old.id, outputs=old.outputs)
        if urns.is_provider(new.type) and not step.untargeted:
            await self._deployment.registry.same(replace(new, inputs=old.inputs))
        return Applied(new, Change(removes=(old,), appends=(new,), minor=not _differs(old, new)))

    async def _create(self, step: Step) -> Applied:
        new, failure = _new(step), None
        await self._hooks.run("BeforeCreate", None, new)
        if new.custom:
            provider = await self._provider(new)
            target = self._target(new, "create")
            inputs = new.inputs
            try:
                made = await self._retried(
                    "create", None, new, lambda: provider.create(target, inputs, self._preview)
                )
            except InitError as error:
                failure = error
                new = replace(new, id=error.id, outputs=error.outputs, init_errors=error.reasons)
            else:
                new = replace(
                    new, id=made.id, outputs=made.outputs, refresh_before_update=made.refresh_before_update
                )
        now = timestamp()
        new = states.with_secrets(replace(new, created=now, modified=now))
        change = Change(appends=(new,))
        old = step.old and self._deployment.latest(step.old)
        if old is not None and old.pending_replacement:
            change = replace(change, removes=(old,))
        elif old is not None and step.pending_delete:
            change = replace(change, replaces=((old, replace(old, delete=True)),))
        if new.custom and failure is None:
            await self._after("AfterCreate", None, new)
        return Applied(new, change, failure)

    async def _update(self, step: Step) -> Applied:
        old, new = _both(step)
        failure = None
        new = replace(new, id=old.id, created=old.created, modified=old.modified)
        await self._hooks.run("BeforeUpdate", old, new)
        if new.custom:
            provider = await self._provider(new)
            target = self._target(new, "update")
            inputs = new.inputs

            try:
                outputs = await self._retried(
                    "update",
                    old,
                    new,
                    lambda: provider.update(
                        target, old.id, old.inputs, old.outputs, inputs, step.ignored, self._preview
                    ),
                )
            except InitError as error:
                # The old inputs are kept, so that the next update tries again.
                failure = error
                new = replace(new, outputs=error.outputs, init_errors=error.reasons, inputs=old.inputs)
            else:
                new = replace(new, outputs=outputs)
            new = states.with_secrets(replace(new, modified=timestamp()))
        if old.custom and failure is None:
            await self._after("AfterUpdate", old, new)
        return Applied(new, Change(removes=(old,), appends=(new,)), failure)

    async def _delete(self, step: Step) -> Applied:
        old = self._deployment.latest(_old(step))
        await self._hooks.run("BeforeDelete", old, None)
        replacing = step.op in (Op.DELETE_REPLACED, Op.DISCARD_REPLACED)
        if not replacing and old.protect and not self._deployment.request.ignore_protect:
            raise ProtectedError(old.urn)
        spared = (
            self._preview
            or old.external
            or old.retain_on_delete
            or (bool(old.deleted_with) and old.deleted_with in self._deployment.decisions.deletes)
        )
        if old.custom and not spared:
            provider = await self._provider(old)
            target = self._target(old, "delete")
            await self._retried(
                "delete", old, None, lambda: provider.delete(target, old.id, old.inputs, old.outputs)
            )
        await self._after("AfterDelete", old, None)
        if step.pending_replacement:
            return Applied(None, Change(replaces=((old, replace(old, pending_replacement=True)),)))
        return Applied(None, Change(removes=(old,)))

    async def _read(self, step: Step) -> Applied:
        new, failure = _new(step), None
        if new.id != UNKNOWN_ID:
            provider = await self._provider(new)
            try:
                found = await provider.read(self._target(new, "read"), new.id, new.inputs, new.inputs)
            except InitError as error:
                failure, found = error, Found(error.id, error.outputs)
                new = replace(new, init_errors=error.reasons)
            if not found.id and not found.outputs:
                raise DeploymentError(f"resource '{new.id}' does not exist")
            new = replace(new, outputs=found.outputs, id=found.id or new.id)
        old = step.old and self._deployment.latest(step.old)
        if old is not None:
            changed = not equal(dict(new.inputs), dict(old.inputs)) or not equal(
                dict(new.outputs), dict(old.outputs)
            )
            new = replace(new, created=old.created, modified=timestamp() if changed else old.modified)
        new = states.with_secrets(new)
        if old is None:
            return Applied(new, Change(appends=(new,)), failure)
        if step.op is Op.READ_REPLACEMENT:
            return Applied(new, Change(appends=(new,), replaces=((old, replace(old, delete=True)),)), failure)
        return Applied(new, Change(removes=(old,), appends=(new,)), failure)

    async def _import(self, step: Step) -> Applied:
        new, failure = _new(step), None
        if new.custom:
            provider = await self._provider(new)
            try:
                found = await provider.read(self._target(new, "read"), new.import_id, {}, {})
            except InitError as error:
                failure, found = error, Found(error.id, error.outputs, error.inputs)
                new = replace(new, init_errors=error.reasons)
            if not found.id:
                raise DeploymentError(f"resource '{new.id or new.import_id}' does not exist")
            if found.inputs is None:
                raise DeploymentError(
                    "provider does not support importing resources; please try updating the "
                    f"'{urns.package_of(new.type)}' plugin"
                )
            new = replace(
                new,
                id=found.id,
                inputs=found.inputs,
                outputs=found.outputs,
                refresh_before_update=found.refresh_before_update,
            )
        now = timestamp()
        new = states.with_secrets(replace(new, created=now, modified=now))
        change = Change(appends=(new,))
        if step.old is not None and step.pending_delete:
            old = self._deployment.latest(step.old)
            # One that the program only looked at is no longer looked at: there is nothing to delete.
            gone = (
                Change(removes=(old,))
                if old.external
                else Change(replaces=((old, replace(old, delete=True)),))
            )
            change = replace(gone, appends=(new,))
        return Applied(new, change, failure)

    async def _replace(self, step: Step) -> Applied:
        return Applied(step.new, Change())

    async def _forget(self, step: Step) -> Applied:
        return Applied(None, Change(removes=(self._deployment.latest(_old(step)),)))

    async def _provider(self, resource: Resource) -> Provider:
        registry = self._deployment.registry
        if urns.is_provider(resource.type):
            return registry
        return await registry.ensure(resource.provider)

    def _target(self, resource: Resource, call: str) -> Target:
        timeout = resource.custom_timeouts.get(call, 0)
        return Target(resource.urn, resource.type, urns.name_of(resource.urn), timeout)

    async def _after(self, kind: str, old: Resource | None, new: Resource | None) -> None:
        """What is done is done: a hook's failure fails the update, and not the step."""
        try:
            await self._hooks.run(kind, old, new)
        except DeploymentError as error:
            resource = new or old
            self._deployment.fail(error, resource.urn if resource else "")

    async def _retried(
        self, what: str, old: Resource | None, new: Resource | None, call: Callable[[], Awaitable[_Answer]]
    ) -> _Answer:
        """Call a provider, again as long as the program's error hooks say so."""
        errors: list[str] = []
        while True:
            try:
                return await call()
            except ProviderError as error:
                errors.insert(0, str(error))
                if len(errors) > _MOST_RETRIES or not await self._hooks.retry(what, old, new, errors):
                    raise
                urn = (new or old).urn if (new or old) else ""  # type: ignore[union-attr]
                self._deployment.report.warning(
                    f"retrying {what} due to on-error hook request ({len(errors)}/{_MOST_RETRIES})", urn
                )


class ProtectedError(DeploymentError):
    """A resource that must not be deleted; others may go on being."""

    def __init__(self, urn: str) -> None:
        super().__init__(
            f'resource "{urn}" cannot be deleted\n'
            "because it is protected. To unprotect the resource, "
            "either remove the `protect` flag from the resource in your Pulumi "
            "program and run `pulumi up`, or use the command:\n"
            f"`pulumi state unprotect '{urn}'`",
            urn,
        )


def _old(step: Step) -> Resource:
    if step.old is None:
        raise ValueError(f"a {step.op} step needs the old resource")
    return step.old


def _new(step: Step) -> Resource:
    if step.new is None:
        raise ValueError(f"a {step.op} step needs the new resource")
    return step.new


def _both(step: Step) -> tuple[Resource, Resource]:
    return _old(step), _new(step)


def _differs(old: Resource, new: Resource) -> bool:
    """Whether the checkpoint would say something else of a resource that stays the same."""
    plain = (
        "urn type custom custom_timeouts retain_on_delete provider parent deleted_with replace_with protect "
        "resource_hooks"
    )
    return (
        any(getattr(old, name) != getattr(new, name) for name in plain.split())
        or sorted(old.dependencies) != sorted(new.dependencies)
        or not equal(dict(old.inputs), dict(new.inputs))
        or not equal(old.replacement_trigger, new.replacement_trigger)
    )
