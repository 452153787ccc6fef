"""``pulumi destroy``: all that a stack has is taken away, or all that isn't protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.operations.operate import operate
from infra.engine.commands.session import snapshot_of
from infra.engine.state import protection

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def destroy(call: Invocation) -> int:
    """Take away what the stack has, and with ``--remove`` the stack too."""
    flags = call.flags
    kept: tuple[str, ...] = ()
    if flags["exclude-protected"]:
        if flags["target"]:
            raise ExitError("you cannot specify --target and --exclude-protected")
        if flags["ignore-protect"]:
            raise ExitError("you cannot specify --ignore-protect and --exclude-protected")
        snapshot = snapshot_of(call, call.stack, None)
        kept = protection.kept(snapshot)
        if kept and len(kept) == len(snapshot.resources):
            _say(call, f"There were no unprotected resources to destroy. {_left(kept)}")
            return 0
    code = operate(call, "destroy", excluded=kept)
    if code or flags["preview-only"] or flags["target"]:
        return code
    if kept:
        _say(call, f"All unprotected resources were destroyed. {_left(kept)}")
    elif flags["remove"]:
        from infra.engine.commands.stacks.stacks import forget

        forget(call, call.stack, preserve_config=False)
        _say(call, "The resources in the stack have been deleted, and the history and configuration removed.")
    else:
        _say(
            call,
            "The resources in the stack have been deleted, but the history and configuration associated with"
            " the stack are still maintained. \nIf you want to remove the stack completely, run"
            f" `pulumi stack rm {call.shown(call.stack)}`.",
        )
    return 0


def _left(kept: tuple[str, ...]) -> str:
    return f"There are still {len(kept)} protected resources associated with this stack."


def _say(call: Invocation, text: str) -> None:
    if not call.flags["json"]:
        print(text)
