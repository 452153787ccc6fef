"""``pulumi state get``: one resource of the state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line.text import json_text
from infra.engine.commands.session import snapshot_of
from infra.engine.commands.stacks.show import plain
from infra.engine.display.objects import Printer, widest
from infra.engine.state.model import Resource, Snapshot

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def get(call: Invocation) -> None:
    """Print what the state has of a resource, named by its URN or, if no other has it, its name."""
    if not call.words:
        raise ExitError("Must supply <resource> unless pulumi is run interactively")
    resource = _resolve(snapshot_of(call, call.stack, None), call.words[0])
    inputs, outputs = (
        {
            key: plain(properties[key], show_secrets=call.flags["show-secrets"])
            for key in sorted(properties)
            if not key.startswith("__")
        }
        for properties in (resource.inputs, resource.outputs)
    )
    if call.json:
        document: dict[str, Any] = {"id": resource.id, "inputs": inputs, "outputs": outputs}
        document |= {"pendingDeletion": True} if resource.delete else {}
        print(json_text(document | {"type": resource.type, "urn": resource.urn}))
        return
    print(f"Type: {resource.type}\nURN:  {resource.urn}")
    if resource.id:
        print(f"ID:   {resource.id}")
    if resource.delete:
        print("Pending deletion: yes")
    width = {"Inputs": widest(resource.inputs), "Outputs": widest(resource.outputs)}
    for title, properties in (("Inputs", inputs), ("Outputs", outputs)):
        if properties:
            print(f"{title}:\n{Printer(1).padded(properties, width[title])}")


def _resolve(snapshot: Snapshot, word: str) -> Resource:
    if word.startswith("urn:"):
        named = [each for each in snapshot.resources if each.urn == word]
        if not named:
            raise ExitError(
                f'No such resource "{word}" exists in the current state\n'
                "To list the resource URNs in the stack, run `pulumi stack --show-urns`"
            )
        living = [each for each in named if not each.delete]
        if living and len(named) > 1:
            print(
                f"warning: {len(named) - 1} copy(ies) of this resource are pending deletion; showing the live"
                " resource (`pulumi stack export` lists all copies)",
                file=sys.stderr,
            )
        return (living or named)[0]
    found = dict.fromkeys(each.urn for each in snapshot.resources if each.name == word)
    if not found:
        raise ExitError(
            f'no resource identified by "{word}" found in the stack; run `pulumi stack --show-urns` to list'
            " them"
        )
    if len(found) > 1:
        listed = "\n    ".join(found)
        raise ExitError(
            f'{len(found)} resources in the stack are named "{word}":\n    {listed}\nspecify one by URN'
        )
    return _resolve(snapshot, next(iter(found)))
