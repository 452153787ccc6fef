"""Commands that foretell and do: on the stack's resources."""

from __future__ import annotations

from infra.engine.commands.line.flags import Flag
from infra.engine.commands.line.table.shape import Command
from infra.engine.commands.line.table.shared import CONFIG, CONFIG_FILE, JSON, PROVIDER, SECRETS, STACK, YES

_OPERATION = (
    *CONFIG,
    CONFIG_FILE,
    Flag("attach-debugger", kind="optional", bare="program"),
    Flag("client", "The address of an existing language runtime host to connect to", kind="string"),
    Flag("continue-on-error", "Continue updating resources even if an error is encountered"),
    Flag("debug", "Print detailed debugging output during resource operations", "d"),
    Flag("diff", "Display operation as a rich diff showing the overall change"),
    Flag("event-log", "Log events to a file at this path", kind="string"),
    Flag("exclude", "Specify a resource URN to ignore; wildcards (*, **) are supported", "x", "list"),
    Flag("exclude-dependents", "Also ignore what depends on what is excluded"),
    Flag("exclude-protected", "Do not destroy protected resources. Destroy all other resources"),
    Flag("exec-agent", kind="string"),
    Flag("exec-kind", kind="string"),
    Flag("expect-no-changes", "Return an error if any changes occur"),
    Flag("ignore-protect", "Ignore the protect resource option for this operation"),
    Flag("json", "Serialize the diffs, operations, and overall output as JSON", "j"),
    Flag("message", "Optional message to associate with the operation", "m", "string"),
    Flag("parallel", "Allow P resource operations to run in parallel at once", "p", "int", default=16),
    Flag("policy-pack", "Run one or more policy packs as part of this operation", kind="list"),
    Flag(
        "policy-pack-config", "JSON file with the configuration of the corresponding policy pack", kind="list"
    ),
    Flag("refresh", "Refresh the state of the stack's resources first", "r", "optional"),
    Flag("run-program", "Run the program to determine up-to-date state for providers"),
    Flag("show-config", "Show configuration keys and variables"),
    Flag("show-full-output", "Display full length of inputs & outputs", default=True),
    Flag("show-reads", "Show resources that are being read in"),
    Flag("show-replacement-steps", "Show detailed resource replacement creates and deletes"),
    Flag("show-sames", "Show resources that don't need to be updated"),
    Flag("skip-config-validation", "Skip validation of config against the project's schema"),
    Flag("skip-plugin-pre-install"),
    SECRETS,
    STACK,
    Flag("suppress-outputs", "Suppress display of stack outputs"),
    Flag("suppress-permalink", kind="optional", bare="false"),
    Flag("suppress-progress", "Suppress display of periodic progress dots"),
    Flag("target", "Specify a single resource URN to operate on; wildcards are supported", "t", "list"),
    Flag("target-dependents", "Also operate on what depends on the targets"),
    Flag("urns", "Display full URNs instead of short resource names"),
)
_APPLY = (
    Flag("skip-preview", "Do not calculate a preview before performing the operation", "f"),
    Flag("yes", "Automatically approve and perform the operation after previewing it", "y"),
)
_PREVIEW_ONLY = Flag("preview-only", "Only show a preview, but don't perform the operation itself")
_REPLACE = (
    Flag("replace", "Specify a single resource URN to replace; wildcards are supported", kind="list"),
    Flag("target-replace", "Shorthand for --target urn --replace urn", kind="list"),
)

COMMANDS = (
    Command(
        "cancel",
        "Cancel a stack's currently running update, if any",
        "stacks.stacks.cancel",
        (STACK, YES),
        "[stack-name]",
        most=1,
    ),
    Command(
        "destroy",
        "Destroy all existing resources in the stack",
        "operations.destroy.destroy",
        (
            *_OPERATION,
            *_APPLY,
            _PREVIEW_ONLY,
            Flag("remove", "Remove the stack and its config file after all resources have been deleted"),
        ),
    ),
    Command(
        "drift",
        "Tell what was changed by hand: exit code 0 nothing, 1 something",
        "operations.drift.drift",
        (JSON, STACK, Flag("debug", short="d"), Flag("parallel", kind="int", default=16, short="p")),
    ),
    Command(
        "import",
        "Import resources into an existing stack",
        "operations.operate.import_",
        (
            *_OPERATION,
            *_APPLY,
            _PREVIEW_ONLY,
            Flag("file", "A JSON file with a list of resources to import", kind="string"),
            Flag("from", kind="string"),
            Flag("generate-code", default=True),
            Flag("generate-resources", kind="string"),
            Flag("out", "The file for the generated code", "o", "string"),
            Flag("parent", "name=urn of the parent", kind="string"),
            Flag("properties", kind="list"),
            Flag("protect", "Import the resources protected", default=True),
            Flag("provider", "name=urn of the provider", kind="string"),
        ),
        "[type] [name] [id]",
        most=3,
    ),
    Command(
        "preview",
        "Show a preview of updates to a stack's resources",
        "operations.operate.preview",
        (
            *_OPERATION,
            *_REPLACE,
            Flag("import-file", "Save creates as a file for `pulumi import`", kind="string"),
            Flag("save-plan", "Save the proposed operations to a plan file", kind="string"),
        ),
        most=0,
    ),
    Command(
        "refresh",
        "Refresh the resources in a stack",
        "operations.operate.refresh",
        (
            *_OPERATION,
            *_APPLY,
            _PREVIEW_ONLY,
            Flag("clear-pending-creates", "Drop pending creates"),
            Flag("import-pending-creates", "URN and ID of a pending create", kind="list"),
            Flag("skip-pending-creates"),
        ),
    ),
    Command(
        "up",
        "Create or update the resources in a stack",
        "operations.operate.up",
        (
            *_OPERATION,
            *_APPLY,
            *_REPLACE,
            PROVIDER,
            Flag("strict"),
            Flag("plan", "A plan saved by preview, that bounds what the update may do", kind="string"),
        ),
    ),
)
