"""Commands on the state itself: ``state``."""

from __future__ import annotations

from infra.engine.commands.line.flags import Flag
from infra.engine.commands.line.table.shape import Command
from infra.engine.commands.line.table.shared import OUTPUT, SECRETS, STACK, YES

COMMANDS = (
    Command(
        "state delete",
        "Delete a resource from a stack's state",
        "stacks.states.delete",
        (
            STACK,
            YES,
            Flag("all"),
            Flag("force", "Delete protected resources"),
            Flag("target-dependents", "Delete the URN and all its dependents"),
        ),
        "[resource URN]",
        most=1,
    ),
    Command(
        "state move",
        "Move resources from one stack to another",
        "stacks.moves.run",
        (YES, Flag("source", kind="string"), Flag("dest", kind="string"), Flag("include-parents")),
        "<urn>...",
        1,
        None,
    ),
    Command(
        "state protect",
        "Protect a resource in a stack's state",
        "stacks.states.protect",
        (STACK, YES, Flag("all")),
        "[resource URN]...",
        most=None,
    ),
    Command(
        "state rename",
        "Rename a resource in the state",
        "stacks.states.rename",
        (STACK, YES),
        "<resource URN> <new name>",
        most=2,
    ),
    Command(
        "state unprotect",
        "Unprotect a resource in a stack's state",
        "stacks.states.unprotect",
        (STACK, YES, Flag("all")),
        "[resource URN]...",
        most=None,
    ),
    Command("state edit", "Edit the state in $EDITOR", "stacks.repairs.edit", (STACK,), most=0),
    Command(
        "state get",
        "Show a resource's state",
        "stacks.single.get",
        (OUTPUT, SECRETS, STACK),
        "[resource]",
        most=1,
    ),
    Command("state repair", "Repair an invalid state", "stacks.repairs.repair", (STACK, YES), most=0),
    Command(
        "state taint",
        "Have resources made anew by the next update",
        "stacks.states.taint",
        (STACK, YES),
        "[resource URN]...",
        most=None,
    ),
    Command(
        "state untaint",
        "Let resources be that were to be made anew",
        "stacks.states.untaint",
        (STACK, YES, Flag("all")),
        "[resource URN]...",
        most=None,
    ),
    Command(
        "state upgrade", "Move the backend to the newest layout", "stacks.repairs.upgrade", (YES,), most=0
    ),
)
