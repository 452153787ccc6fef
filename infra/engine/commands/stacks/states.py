"""``pulumi state``: the state edited by hand, the cloud left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.state import edit, integrity, serialize
from infra.engine.state.backend import Checkpoint

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


@contextmanager
def _edited(call: Invocation) -> Iterator[dict[str, Any]]:
    """The deployment, to be changed in place; written back at the end if it is whole."""
    stack = call.stack
    with call.backend.locks(stack).hold():
        checkpoint = call.backend.read(stack)
        deployment = checkpoint.deployment or {"resources": []}
        yield deployment
        wrong = integrity.fault(deployment)
        if wrong is not None:
            raise ExitError(f"state edit produced an invalid snapshot: {wrong}")
        call.backend.write(stack, _versioned(checkpoint, deployment))


def _versioned(checkpoint: Checkpoint, deployment: dict[str, Any]) -> Checkpoint:
    """The checkpoint with the features that its resources now need of who reads it."""
    needed = {name for each in deployment.get("resources") or () for name in serialize.features_of(each)}
    return Checkpoint.of(deployment, {*checkpoint.features, *needed})


def _confirm(call: Invocation) -> None:
    if call.flags["yes"] or not call.interactive:
        return
    question = "This command will edit your stack's state directly. Confirm?"
    if prompts.pick(question, {"yes": True, "no": False}) is False:
        raise ExitError("confirmation declined")


def _needs(call: Invocation, *names: str) -> None:
    if len(call.words) < len(names) and not call.flags.get("all"):
        raise ExitError(
            f"Must supply {' and '.join(f'<{name}>' for name in names)} unless pulumi is run interactively"
        )


def delete(call: Invocation) -> None:
    """Forget a resource, or all."""
    _needs(call, "resource URN")
    _confirm(call)
    with _edited(call) as deployment:
        before = len(deployment.get("resources") or ())
        if call.flags["all"]:
            deployment["resources"] = []
        else:
            edit.delete_resource(
                deployment,
                call.words[0],
                force=call.flags["force"],
                target_dependents=call.flags["target-dependents"],
            )
        after = len(deployment["resources"])
    print("Resource deleted" if before - after == 1 else f"{before - after} resources deleted")


def protect(call: Invocation) -> None:
    """Protect resources from being deleted."""
    _mark(call, "protected", lambda resource: resource.update(protect=True))


def unprotect(call: Invocation) -> None:
    """Let resources be deleted again."""
    _mark(call, "unprotected", lambda resource: resource.pop("protect", None))


def taint(call: Invocation) -> None:
    """Have the next update make resources anew."""
    _mark(call, "tainted", lambda resource: resource.update(taint=True))


def untaint(call: Invocation) -> None:
    """Let resources be, that were to be made anew."""
    _mark(call, "untainted", lambda resource: resource.pop("taint", None))


def _mark(call: Invocation, done: str, change: Callable[[dict[str, Any]], object]) -> None:
    _needs(call, "resource URN")
    _confirm(call)
    with _edited(call) as deployment:
        if call.flags.get("all"):
            chosen = list(deployment.get("resources") or ())
        else:
            chosen = [edit.found(deployment, urn) for urn in call.words]
        for resource in chosen:
            change(resource)
    print(f"All resources {done}" if call.flags.get("all") else f"{len(chosen)} resources {done}")


def rename(call: Invocation) -> None:
    """Give a resource another name."""
    _needs(call, "resource URN", "new name")
    _confirm(call)
    with _edited(call) as deployment:
        edit.rename_resource(deployment, *call.words)
    print("Resource renamed")
