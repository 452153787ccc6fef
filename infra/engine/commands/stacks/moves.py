"""``pulumi state move``: resources of one stack become another's, the cloud left alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.commands import vaults
from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.commands.session import snapshot_of
from infra.engine.state import integrity, serialize
from infra.engine.state.backend import Checkpoint
from infra.engine.state.errors import StateError
from infra.engine.state.journal import provider_of
from infra.engine.state.model import Snapshot
from infra.engine.state.moving import Cut, Destination, Moved, move
from infra.engine.state.reference import Reference
from infra.engine.state.secrets import Vault

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def run(call: Invocation) -> None:
    """Move resources, with their children and a copy of their providers."""
    flags = call.flags
    if not flags["source"] and not flags["dest"]:
        raise ExitError("at least one of --source or --dest must be provided")
    source = call.existing(flags["source"]) if flags["source"] else call.stack
    dest = call.existing(flags["dest"]) if flags["dest"] else call.stack
    if source == dest:
        raise ExitError(f"the resources are in stack '{source.name}' already: give another --dest")
    if not dest.project:
        raise ExitError("the destination stack has no project; `pulumi state upgrade` gives it one")
    with ExitStack() as held:
        for stack in sorted((source, dest), key=lambda each: each.qualified):
            held.enter_context(call.backend.locks(stack).hold())
        vault = _vault(call, source)
        target = _vault(call, dest) or _of_project(call, dest)
        here, there = snapshot_of(call, source, vault), snapshot_of(call, dest, target)
        try:
            moved = move(
                here,
                Destination(there, dest.name, dest.project),
                call.words,
                parents=flags["include-parents"],
            )
        except StateError as error:
            raise ExitError(
                f"{error}\nTo list the resource URNs, run `pulumi stack --show-urns -s {source.qualified}`"
            ) from error
        _tell(source, dest, moved)
        if not prompts.confirmed(call, "Do you want to perform this move?"):
            print("Confirmation denied, not proceeding with the state move")
            return
        # First where they arrive: what is tracked twice can be mended, what is tracked nowhere is lost.
        _save(call, dest, moved.destination, target)
        _save(call, source, moved.source, vault)
    print(f"Successfully moved resources from {source.qualified} to {dest.qualified}")


def _vault(call: Invocation, stack: Reference) -> Vault | None:
    return vaults.of_deployment(call, stack, call.backend.read(stack).deployment)


def _of_project(call: Invocation, stack: Reference) -> Vault:
    """The vault of a stack that was never updated: its configuration's, which its project's folder has."""
    if call.project_name != stack.project:
        raise ExitError(
            "destination stack has no secret manager. To move resources either initialize the stack with a"
            " secret manager, or run the pulumi state move command from the destination project directory"
        )
    return vaults.of_file(call, stack, call.stack_file(stack))[1]


def _save(call: Invocation, stack: Reference, snapshot: Snapshot, vault: Vault | None) -> None:
    if vault is not None and snapshot.secrets_provider is None:
        snapshot = replace(snapshot, secrets_provider=provider_of(vault.state))
    deployment, features = serialize.deployment_json(snapshot, vault)
    wrong = integrity.fault(deployment)
    if wrong is not None:
        raise ExitError(f"the move would leave stack '{stack.name}' broken, nothing was written: {wrong}")
    call.backend.write(stack, Checkpoint.of(deployment, features))


def _tell(source: Reference, dest: Reference, moved: Moved) -> None:
    for urn in moved.unknown:
        print(f"warning: Resource {urn} not found in source stack")
    print(f"Planning to move the following resources from {source.qualified} to {dest.qualified}:\n")
    print("".join(f"  - {urn}\n" for urn in moved.resources))
    _tell_cuts(
        f"The following resources remaining in {source.qualified} have dependencies on resources moved to"
        f" {dest.qualified}:",
        moved.cut_behind,
    )
    if moved.cut_behind and moved.cut_ahead:
        print()
    _tell_cuts(
        f"The following resources being moved to {dest.qualified} have dependencies on resources in"
        f" {source.qualified}:",
        moved.cut_ahead,
    )
    if moved.cut_behind or moved.cut_ahead:
        print(
            "\nIf you go ahead with moving these dependencies, it will be necessary to create the appropriate"
            " inputs and outputs in the program for the stack the resources are moved to.\n"
        )


def _tell_cuts(headline: str, cuts: Sequence[Cut]) -> None:
    if cuts:
        print(f"{headline}\n")
        print("".join(f"  - {cut}\n" for cut in cuts), end="")
