"""Operations that an update was killed in the middle of: what has come of them is asked of the cloud."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.deploy import states, urns
from infra.engine.deploy.errors import DeploymentError
from infra.engine.providers.contract import Found, InitError, Provider, ProviderError, Target
from infra.engine.state.model import Operation, Resource, timestamp

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment


_UNSETTLED = """\
These resources are in an unknown state because the Pulumi CLI was interrupted while waiting for changes \
to these resources to complete. You should confirm whether or not the operations listed completed \
successfully by checking the state of the appropriate provider. For example, if you are using AWS, you can \
confirm using the AWS Console.

Once you have confirmed the status of the interrupted operations, you can repair your stack using \
`pulumi refresh` which will refresh the state from the provider you are using and clear the pending \
operations if there are any.

Note that `pulumi refresh` will need to be run interactively to clear pending CREATE operations."""


async def mend(deployment: Deployment) -> None:
    """Settle the pending operations of the stack; those that can't be are told, and stay pending."""
    snapshot = deployment.request.snapshot
    if snapshot is None or not snapshot.pending_operations:
        return
    resources = list(snapshot.resources)
    unsettled: list[Operation] = []
    for operation in snapshot.pending_operations:
        try:
            settled = await _settle(deployment, operation, resources)
        except (ProviderError, DeploymentError) as error:
            deployment.report.warning(
                f"could not find out what became of {operation.resource.urn}: {error}", operation.resource.urn
            )
            settled = False
        if not settled:
            unsettled.append(operation)
    _tell(deployment, snapshot.pending_operations, unsettled)
    deployment.ledger.rebase(resources)
    deployment.unsettled = tuple(unsettled)
    if not deployment.preview:
        await deployment.journal.rewrite(
            replace(snapshot, resources=tuple(resources), pending_operations=tuple(unsettled))
        )


async def _settle(deployment: Deployment, operation: Operation, resources: list[Resource]) -> bool:
    """Whether it is known what became of one; ``resources`` is changed accordingly."""
    resource = operation.resource
    if not resource.custom or urns.is_provider(resource.type) or operation.type == "reading":
        return True
    provider = await deployment.registry.ensure(resource.provider)
    target = Target(resource.urn, resource.type, urns.name_of(resource.urn))
    if operation.type == "importing":
        if resource.id:  # given by the user, for a create
            found = await _looked_for(provider.read(target, resource.id, resource.inputs, resource.outputs))
            _adopt(deployment, resource, found, resources)
        return True
    if operation.type == "creating":
        found = await _looked_for(provider.recover(target, resource.inputs))
        if found is not None and found[0].id:
            _adopt(deployment, resource, found, resources)
        return found is not None
    return await _reread(provider, target, resource, resources)


async def _looked_for(found: Awaitable[Found | None]) -> tuple[Found, tuple[str, ...]] | None:
    """What a provider has found, and why it did not come up if it didn't; None if it can't tell."""
    try:
        answer = await found
    except InitError as error:
        return Found(error.id, error.outputs), error.reasons
    return None if answer is None else (answer, ())


def _adopt(
    deployment: Deployment,
    resource: Resource,
    found: tuple[Found, tuple[str, ...]] | None,
    resources: list[Resource],
) -> None:
    """Take what a create has made into the state."""
    if found is None or not found[0].id:
        deployment.report.warning(
            f"there is no {resource.type} with the ID '{resource.id}': the pending create is forgotten",
            resource.urn,
        )
        return
    made, reasons = found
    if any(each.urn == resource.urn and each.id == made.id for each in resources):
        return
    now = timestamp()
    whole = replace(
        resource, id=made.id, outputs=made.outputs, init_errors=reasons, created=now, modified=now
    )
    resources.append(states.with_secrets(whole))


async def _reread(provider: Provider, target: Target, resource: Resource, resources: list[Resource]) -> bool:
    """Have the state say what is there of a resource that was being changed or deleted."""
    place = next(
        (
            index
            for index, each in enumerate(resources)
            if each.urn == resource.urn and (not resource.id or each.id == resource.id)
        ),
        None,
    )
    if place is None:
        return True
    known = resources[place]
    try:
        found = await provider.read(target, known.id, known.inputs, known.outputs)
    except InitError as error:
        resources[place] = replace(known, outputs=error.outputs, init_errors=error.reasons)
        return True
    if found.id:
        inputs = known.inputs if found.inputs is None else found.inputs
        resources[place] = states.with_secrets(
            replace(known, id=found.id, inputs=inputs, outputs=found.outputs)
        )
    else:
        # Others may depend on what is gone: a refresh takes it out, or the program makes it again.
        resources[place] = replace(known, pending_replacement=True)
    return True


def _tell(deployment: Deployment, all_: tuple[Operation, ...], unsettled: list[Operation]) -> None:
    def listed(operations: list[Operation]) -> str:
        return "".join(f"  * {each.resource.urn}, interrupted while {each.type}\n" for each in operations)

    settled = [operation for operation in all_ if operation not in unsettled]
    if settled:
        deployment.report.warning(
            f"{len(settled)} pending operations from previous deployment were settled "
            f"by reading their providers:\n{listed(settled)}"
        )
    if unsettled:
        deployment.report.warning(
            f"Attempting to deploy or update resources with {len(unsettled)} pending operations "
            f"from previous deployment.\n{listed(unsettled)}{_UNSETTLED}"
        )
