"""Operations that an update was killed in the middle of: what has come of them is asked of the cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.deploy import states, urns
from infra.engine.deploy.errors import DeploymentError
from infra.engine.providers.contract import Found, InitError, ProviderError, Target
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
    if not resource.custom or urns.is_provider(resource.type) or operation.type in {"reading", "importing"}:
        return True
    provider = await deployment.registry.ensure(resource.provider)
    target = Target(resource.urn, resource.type, urns.name_of(resource.urn))
    if operation.type == "creating":
        reasons: tuple[str, ...] = ()
        try:
            found = await provider.recover(target, resource.inputs)
        except InitError as error:
            found, reasons = Found(error.id, error.outputs), error.reasons
        if found is None:
            return False
        if found.id and not any(each.urn == resource.urn and each.id == found.id for each in resources):
            now = timestamp()
            made = replace(
                resource, id=found.id, outputs=found.outputs, init_errors=reasons, created=now, modified=now
            )
            resources.append(states.with_secrets(made))
        return True
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
