"""``pulumi state repair``, ``state edit`` and ``state upgrade``: what is wrong with a state, set right."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.state import gojson, integrity, repairing
from infra.engine.state.errors import StateError

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def repair(call: Invocation) -> None:
    """Put resources in order, and drop references to what is gone; a state that is whole is left alone."""
    stack = call.stack
    with call.backend.locks(stack).hold():
        checkpoint = call.backend.read(stack)
        deployment = checkpoint.deployment or {}
        wrong = integrity.fault(deployment)
        if wrong is None:
            print("The snapshot is already valid; skipping repair")
            return
        try:
            done = repairing.repair(deployment)
        except StateError as error:
            raise ExitError(_by_hand(call, wrong, str(error))) from error
        if (left := integrity.fault(deployment)) is not None:
            raise ExitError(_by_hand(call, wrong, left))
        if not call.flags["yes"]:
            print(done)
        if not prompts.confirmed(call, "This command will edit your stack's state directly. Confirm?"):
            print("Confirmation denied, not proceeding with state repair")
            return
        call.backend.write(stack, replace(checkpoint, deployment=deployment))
    print("State repaired successfully")


def _by_hand(call: Invocation, first: str, left: str) -> str:
    name = call.shown(call.stack)
    return (
        f"Failed to repair the snapshot automatically: {left}\n\n"
        f"What was wrong at first: {first}\n"
        "It can be mended by hand:\n\n"
        f"    1. pulumi stack -s {name} export > state.json\n"
        "    2. cp state.json state.json.backup\n"
        "    3. edit state.json\n"
        f"    4. pulumi stack -s {name} import < state.json"
    )


def edit(call: Invocation) -> None:
    """Open the state in $EDITOR, and write it back once it is whole and the user agrees."""
    if not call.interactive:
        raise ExitError("pulumi state edit must be run in interactive mode")
    editor = call.variables.get("EDITOR")
    if not editor:
        raise ExitError("no EDITOR environment variable set")
    stack = call.stack
    with call.backend.locks(stack).hold(), _draft() as draft:
        checkpoint = call.backend.read(stack)
        original = gojson.dumps(checkpoint.deployment, indent=4) + "\n"
        draft.write_text(original, encoding="utf-8")
        while True:
            _open(editor, draft)
            print(f"Previewing state edit ({stack.qualified})\n")
            deployment, fault = _read(draft)
            if fault is None and draft.read_text(encoding="utf-8") == original:
                print("warning: provided state was not changed", file=sys.stderr)
                return
            if fault is None:
                print(f"New state:\n{gojson.dumps(deployment, indent=4)}")
            else:
                print(f"error: provided state is not valid: {fault}", file=sys.stderr)
            match _next(valid=fault is None):
                case "accept":
                    call.backend.write(stack, replace(checkpoint, deployment=deployment))
                    return
                case "reset":
                    draft.write_text(original, encoding="utf-8")
                case "cancel":
                    raise ExitError("confirmation cancelled, not proceeding with the state edit")
                case _:
                    continue


@contextmanager
def _draft() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pulumi-state-edit-") as folder:
        yield Path(folder, "state.json")


def _open(editor: str, file: Path) -> None:
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise ExitError(f"Failed to exec EDITOR: {error}") from error


def _read(draft: Path) -> tuple[Any, str | None]:
    try:
        deployment = json.loads(draft.read_bytes())
    except ValueError as error:
        return None, str(error)
    if not isinstance(deployment, dict):
        return None, "it must be a JSON object"
    return deployment, integrity.fault(deployment)


def _next(*, valid: bool) -> str:
    choices = {word: word for word in ("accept", "edit", "reset", "cancel") if valid or word != "accept"}
    question = (
        "Do you want to perform this edit?" if valid else "Received invalid state. What would you like to do?"
    )
    return prompts.pick(question, choices)


def upgrade(call: Invocation) -> None:
    """Move a backend of the old layout to the new one."""
    from infra.engine.state.upgrading import upgrade as upgraded

    backend = call.backend
    if backend.legacy and not call.flags["yes"]:
        print("This will upgrade the current backend to the latest supported version.")
        print("Older versions of Pulumi will not be able to read the new format.")
        if not prompts.confirmed(call, "Are you sure you want to proceed?"):
            print("Upgrade cancelled")
            return
    done = upgraded(backend)
    for reason in done.skipped:
        print(f"warning: {reason}", file=sys.stderr)
    print(f"Upgraded {len(done.moved)} stack(s) to project mode", file=sys.stderr)
