"""Creates that an update was killed in the middle of: ``pulumi refresh`` asks what came of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.commands.session import Session
from infra.engine.state import serialize
from infra.engine.state.backend import Checkpoint

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.state.model import Operation

Settle = Callable[["Operation"], "Operation | None"]
"""What becomes of a pending create; None to forget it."""


def settle(call: Invocation, session: Session) -> Session:
    """The session with the pending creates that the command line, or the user, settles; saved, too.

    Raises ExitError for flags that contradict each other.
    """
    flags = call.flags
    if flags["skip-pending-creates"] and flags["clear-pending-creates"]:
        raise ExitError("cannot set both --skip-pending-creates and --clear-pending-creates")
    settled = session
    if flags["import-pending-creates"]:
        settled = _edited(settled, _imports(flags["import-pending-creates"], settled))
    if call.interactive and not flags["skip-pending-creates"]:
        settled = _edited(settled, _asked)
    if flags["clear-pending-creates"]:
        settled = _edited(settled, lambda _: None)
    if settled is not session and not flags["preview-only"]:
        deployment, features = serialize.deployment_json(settled.snapshot, settled.vault)
        call.backend.write(settled.stack, Checkpoint.of(deployment, features))
    return settled


def _edited(session: Session, edit: Settle) -> Session:
    """The session with each pending create edited; itself if that makes no difference."""
    before = session.snapshot.pending_operations
    after = [edit(operation) if operation.type == "creating" else operation for operation in before]
    kept = tuple(operation for operation in after if operation is not None)
    if kept == before:
        return session
    return replace(session, snapshot=replace(session.snapshot, pending_operations=kept))


def _imports(words: list[str], session: Session) -> Settle:
    """An edit that gives creates the ids in ``words``, URN and id by turns. Tells URNs that are none."""
    if len(words) % 2:
        raise ExitError("each URN must be followed by an ID: found an odd number of entries")
    ids = dict(zip(words[::2], words[1::2], strict=True))
    creates = {
        operation.resource.urn
        for operation in session.snapshot.pending_operations
        if operation.type == "creating"
    }
    for urn in ids:
        if urn not in creates:
            print(f'warning: "{urn}" did not correspond to a pending create', file=sys.stderr)

    def edit(operation: Operation) -> Operation:
        found = ids.get(operation.resource.urn)
        return operation if found is None else _imported(operation, found)

    return edit


def _asked(operation: Operation) -> Operation | None:
    choices = {
        "clear (the CREATE failed; remove the pending CREATE)": "clear",
        "skip (do nothing)": "skip",
        "import (the CREATE succeeded; provide a resource ID and complete the CREATE operation)": "import",
    }
    choice = prompts.pick(f"Options for pending CREATE of {operation.resource.urn}", choices)
    if choice == "import":
        return _imported(operation, prompts.ask("ID"))
    return None if choice == "clear" else operation


def _imported(operation: Operation, id_: str) -> Operation:
    return replace(operation, type="importing", resource=replace(operation.resource, id=id_))
