"""Commands on stacks and on what is recorded of them: ``stack`` and ``state``."""

from __future__ import annotations

from infra.engine.commands.line.flags import Flag
from infra.engine.commands.line.table.shape import Command
from infra.engine.commands.line.table.shared import FORMATS, JSON, PROVIDER, SECRETS, STACK, YES

COMMANDS = (
    Command(
        "stack",
        "Manage stacks and view stack state",
        "stacks.show.show",
        (
            *FORMATS,
            SECRETS,
            STACK,
            Flag("show-ids", "Display each resource's ID", "i"),
            Flag("show-name", "Display only the stack name"),
            Flag("show-urns", "Display each resource's URN", "u"),
        ),
    ),
    Command(
        "stack change-secrets-provider",
        "Change the secrets provider for the current stack",
        "stacks.secrets.change",
        (STACK,),
        "<new-secrets-provider>",
        1,
        1,
    ),
    Command(
        "stack export",
        "Export a stack's deployment to standard out",
        "stacks.transfer.export",
        (STACK, SECRETS, Flag("file", kind="string"), Flag("version", kind="string")),
    ),
    Command(
        "stack graph",
        "Export a stack's dependency graph to a file",
        "stacks.graph.graph",
        (
            STACK,
            Flag("dependency-edge-color", kind="string", default="#246C60"),
            Flag("dot-fragment", kind="string"),
            Flag("ignore-dependency-edges"),
            Flag("ignore-parent-edges"),
            Flag("parent-edge-color", kind="string", default="#AA6639"),
            Flag("short-node-name"),
        ),
        "<filename>",
        1,
        1,
    ),
    Command(
        "stack history",
        "Display history for a stack",
        "stacks.transfer.history",
        (
            *FORMATS,
            SECRETS,
            STACK,
            Flag("full-dates"),
            Flag("page", kind="int", default=1),
            Flag("page-size", kind="int", default=10),
        ),
    ),
    Command(
        "stack import",
        "Import a deployment from standard in into an existing stack",
        "stacks.transfer.import_",
        (STACK, Flag("file", kind="string"), Flag("force", short="f")),
    ),
    Command(
        "stack init",
        "Create an empty stack with the given name, ready for updates",
        "stacks.stacks.init",
        (
            STACK,
            YES,
            Flag("copy-config-from", kind="string"),
            Flag("no-select"),
            PROVIDER,
            Flag("teams", kind="list"),
        ),
        "[<org-name>/]<stack-name>",
        most=1,
    ),
    Command(
        "stack ls",
        "List stacks",
        "stacks.stacks.list_",
        (
            *FORMATS,
            Flag("all", "Stacks of all projects", "a"),
            Flag("organization", short="o", kind="string"),
            Flag("project", short="p", kind="string"),
            Flag("tag", short="t", kind="string"),
        ),
    ),
    Command(
        "stack output",
        "Show a stack's output properties",
        "stacks.show.output",
        (JSON, SECRETS, STACK, Flag("shell", "Emit output as a shell script")),
        "[property-name]",
        most=1,
    ),
    Command(
        "stack rename", "Rename an existing stack", "stacks.stacks.rename", (STACK,), "<new-stack-name>", 1, 1
    ),
    Command(
        "stack rm",
        "Remove a stack and its configuration",
        "stacks.stacks.remove",
        (
            STACK,
            YES,
            Flag("force", "Leave behind any resources", "f"),
            Flag("preserve-config"),
            Flag("remove-backups"),
        ),
        "[<stack-name>]",
        most=1,
    ),
    Command(
        "stack select",
        "Switch the current workspace to the given stack",
        "stacks.stacks.select",
        (STACK, Flag("create", "Create the stack if it does not exist", "c"), PROVIDER),
        "[<stack>]",
        most=1,
    ),
    Command("stack tag get", "Get a single stack tag value", "stacks.tags.get", (STACK,), "<name>", 1, 1),
    Command("stack tag ls", "List all stack tags", "stacks.tags.list_", (*FORMATS, STACK)),
    Command("stack tag rm", "Remove a stack tag", "stacks.tags.remove", (STACK,), "<name>", 1, 1),
    Command("stack tag set", "Set a stack tag", "stacks.tags.set_", (STACK,), "<name> <value>", 2, 2),
    Command("stack unselect", "Resets stack selection from the current workspace", "stacks.stacks.unselect"),
)
