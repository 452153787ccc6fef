"""All commands: their names, flags and arguments, and where the function is that serves each."""

from __future__ import annotations

from dataclasses import dataclass

from infra.engine.commands.flags import Flag

_STACK = Flag("stack", "The name of the stack to operate on. Defaults to the current stack", "s", "string")
_YES = Flag("yes", "Skip confirmation prompts", "y")
_JSON = Flag("json", "Emit output as JSON", "j")
_OUTPUT = Flag("output", "Output format: default or json", kind="string", default="default")
_FORMATS = (_JSON, _OUTPUT)
_CONFIG_FILE = Flag("config-file", "Use the configuration values in the specified file", kind="string")
_PATH = Flag("path", "The key contains a path to a property in a map or list")
_SECRETS = Flag("show-secrets", "Display secrets in plaintext")
_PROVIDER = Flag(
    "secrets-provider", "The secrets provider: default or passphrase", kind="string", default="default"
)
_CONFIG = (
    Flag("config", "Config to use during the update and save to the stack config file", "c", "list"),
    Flag("config-path", "Config keys contain a path to a property in a map or list to set"),
)

GLOBAL = (
    Flag("color", "Colorize output: always, never, raw, auto", kind="string", default="auto"),
    Flag("cwd", "Run pulumi as if it had been started in another directory", "C", "string"),
    Flag("disable-integrity-checking", "Disable integrity checking of checkpoint files"),
    Flag("embedded", "Serve from the embedded engine, even if there is a Pulumi CLI"),
    Flag("emoji", "Enable emojis in the output", "e"),
    Flag("fully-qualify-stack-names", "Show fully-qualified stack names", "Q"),
    Flag("help", "Show this message", "h"),
    Flag("logflow", "Flow log settings to child processes (like plugins)"),
    Flag("logtostderr", "Log to stderr instead of to files"),
    Flag("no-embedded", "Hand over to the Pulumi CLI, or fail"),
    Flag("non-interactive", "Disable interactive mode for all commands"),
    Flag("memprofilerate", kind="int"),
    Flag("otel-traces", kind="string"),
    Flag("profiling", kind="string"),
    Flag("tracing", "Emit tracing to the specified endpoint", kind="string"),
    Flag("verbose", "Enable verbose logging (e.g., v=3)", "v", "int"),
)

_OPERATION = (
    *_CONFIG,
    _CONFIG_FILE,
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
    _SECRETS,
    _STACK,
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


@dataclass(frozen=True, slots=True)
class Command:
    """A command: ``most`` arguments at most (None: any number), ``function`` is ``module.name`` below this room."""

    name: str
    help: str
    function: str
    flags: tuple[Flag, ...] = ()
    arguments: str = ""
    least: int = 0
    most: int | None = 0


COMMANDS = (
    Command("about", "Print information about the Pulumi environment", "about.about",
            (*_FORMATS, _STACK, Flag("transitive", short="t"))),
    Command("cancel", "Cancel a stack's currently running update, if any", "stacks.cancel",
            (_STACK, _YES), "[stack-name]", most=1),
    Command("config", "Manage configuration", "configuration.show",
            (_JSON, _SECRETS, _STACK, _CONFIG_FILE, Flag("open"))),
    Command("config cp", "Copy config to another stack", "configuration.copy",
            (_PATH, _STACK, _CONFIG_FILE, Flag("dest", "The stack to copy to", "d", "string")), "[key]", most=1),
    Command("config get", "Get a single configuration value", "configuration.get",
            (_JSON, _PATH, _STACK, _CONFIG_FILE, Flag("open")), "<key>", 1, 1),
    Command("config refresh", "Update the local configuration based on the most recent deployment",
            "configuration.refresh", (_STACK, _CONFIG_FILE, Flag("force", "Overwrite without a backup", "f"))),
    Command("config rm", "Remove configuration value", "configuration.remove",
            (_PATH, _STACK, _CONFIG_FILE), "<key>", 1, 1),
    Command("config rm-all", "Remove multiple configuration values", "configuration.remove",
            (_PATH, _STACK, _CONFIG_FILE), "<key1> <key2> ...", 1, None),
    Command("config set", "Set configuration value", "configuration.set_one",
            (_PATH, _STACK, _CONFIG_FILE, Flag("plaintext", "Save the value as plaintext (unencrypted)"),
             Flag("secret", "Encrypt the value instead of storing it in plaintext"), Flag("raw"),
             Flag("type", "Save the value as string, bool, int or float", kind="string")), "<key> [value]", 1, 2),
    Command("config set-all", "Set multiple configuration values", "configuration.set_all",
            (_PATH, _STACK, _CONFIG_FILE, Flag("plaintext", "key=value to save as it is", kind="list"),
             Flag("secret", "key=value to encrypt", kind="list"),
             Flag("json", "Read values from JSON as `pulumi config --json` writes it", kind="string"))),
    Command("destroy", "Destroy all existing resources in the stack", "operate.destroy",
            (*_OPERATION, *_APPLY, _PREVIEW_ONLY,
             Flag("remove", "Remove the stack and its config file after all resources have been deleted"))),
    Command("drift", "Tell what was changed by hand: exit code 0 nothing, 1 something", "drift.drift",
            (_JSON, _STACK, Flag("debug", short="d"), Flag("parallel", kind="int", default=16, short="p"))),
    Command("import", "Import resources into an existing stack", "operate.import_",
            (*_OPERATION, *_APPLY, _PREVIEW_ONLY,
             Flag("file", "A JSON file with a list of resources to import", kind="string"),
             Flag("from", kind="string"), Flag("generate-code", default=True),
             Flag("generate-resources", kind="string"), Flag("out", "The file for the generated code", "o", "string"),
             Flag("parent", "name=urn of the parent", kind="string"), Flag("properties", kind="list"),
             Flag("protect", "Import the resources protected", default=True),
             Flag("provider", "name=urn of the provider", kind="string")), "[type] [name] [id]", most=3),
    Command("install", "Install packages and plugins for the current program", "about.install",
            (Flag("no-dependencies"), Flag("no-plugins"), Flag("reinstall"), Flag("use-language-version-tools"),
             Flag("parallel", kind="int"))),
    Command("login", "Log in to a Pulumi state backend", "account.login",
            (Flag("cloud-url", short="c", kind="string"), Flag("default-org", kind="string"), Flag("insecure"),
             Flag("interactive"), Flag("local", "Use Pulumi in local-only mode", "l")), "[<url>]", most=1),
    Command("logout", "Log out of a Pulumi state backend", "account.logout",
            (Flag("all", "Log out of all backends"), Flag("cloud-url", short="c", kind="string"),
             Flag("local", short="l")), "[<url>]", most=1),
    Command("logs", "Show where a stack's logs are", "about.logs",
            (_JSON, _STACK, _CONFIG_FILE, Flag("follow", short="f"), Flag("resource", short="r", kind="string"),
             Flag("since", kind="string"))),
    Command("new", "Create a new Pulumi project", "new.new",
            (*_CONFIG, _PROVIDER, Flag("description", "The project description", "d", "string"),
             Flag("dir", "The location to place the generated project", kind="string"),
             Flag("force", "Change existing files", "f"), Flag("generate-only", "Generate the project only", "g"),
             Flag("list-templates", "List templates and exit", "l"), Flag("name", "The project name", "n", "string"),
             Flag("offline", short="o"), Flag("runtime-options", kind="list"), _STACK, _YES), "[template]", most=1),
    Command("plugin install", "Install one or more plugins", "about.plugin_install",
            (Flag("exact"), Flag("file", short="f", kind="string"), Flag("reinstall"), Flag("checksum", kind="string"),
             Flag("server", kind="string"), Flag("parallel", kind="int")), "[KIND [NAME] [VERSION]]", most=3),
    Command("plugin ls", "List plugins", "about.plugins", (*_FORMATS, Flag("project", short="p"))),
    Command("plugin rm", "Remove one or more plugins", "about.plugin_remove",
            (_YES, Flag("all", short="a")), "[KIND [NAME] [VERSION]]", most=3),
    Command("preview", "Show a preview of updates to a stack's resources", "operate.preview",
            (*_OPERATION, *_REPLACE, Flag("import-file", "Save creates as a file for `pulumi import`", kind="string"),
             Flag("save-plan", "Save the proposed operations to a plan file", kind="string")), most=0),
    Command("refresh", "Refresh the resources in a stack", "operate.refresh",
            (*_OPERATION, *_APPLY, _PREVIEW_ONLY, Flag("clear-pending-creates", "Drop pending creates"),
             Flag("import-pending-creates", "URN and ID of a pending create", kind="list"),
             Flag("skip-pending-creates"))),
    Command("stack", "Manage stacks and view stack state", "show.show",
            (*_FORMATS, _SECRETS, _STACK, Flag("show-ids", "Display each resource's ID", "i"),
             Flag("show-name", "Display only the stack name"), Flag("show-urns", "Display each resource's URN", "u"))),
    Command("stack change-secrets-provider", "Change the secrets provider for the current stack",
            "secrets.change", (_STACK,), "<new-secrets-provider>", 1, 1),
    Command("stack export", "Export a stack's deployment to standard out", "transfer.export",
            (_STACK, _SECRETS, Flag("file", kind="string"), Flag("version", kind="string"))),
    Command("stack graph", "Export a stack's dependency graph to a file", "graph.graph",
            (_STACK, Flag("dependency-edge-color", kind="string", default="#246C60"),
             Flag("dot-fragment", kind="string"), Flag("ignore-dependency-edges"), Flag("ignore-parent-edges"),
             Flag("parent-edge-color", kind="string", default="#AA6639"), Flag("short-node-name")),
            "<filename>", 1, 1),
    Command("stack history", "Display history for a stack", "transfer.history",
            (*_FORMATS, _SECRETS, _STACK, Flag("full-dates"), Flag("page", kind="int", default=1),
             Flag("page-size", kind="int", default=10))),
    Command("stack import", "Import a deployment from standard in into an existing stack", "transfer.import_",
            (_STACK, Flag("file", kind="string"), Flag("force", short="f"))),
    Command("stack init", "Create an empty stack with the given name, ready for updates", "stacks.init",
            (_STACK, _YES, Flag("copy-config-from", kind="string"), Flag("no-select"), _PROVIDER,
             Flag("teams", kind="list")), "[<org-name>/]<stack-name>", most=1),
    Command("stack ls", "List stacks", "stacks.list_",
            (*_FORMATS, Flag("all", "Stacks of all projects", "a"), Flag("organization", short="o", kind="string"),
             Flag("project", short="p", kind="string"), Flag("tag", short="t", kind="string"))),
    Command("stack output", "Show a stack's output properties", "show.output",
            (_JSON, _SECRETS, _STACK, Flag("shell", "Emit output as a shell script")), "[property-name]", most=1),
    Command("stack rename", "Rename an existing stack", "stacks.rename", (_STACK,), "<new-stack-name>", 1, 1),
    Command("stack rm", "Remove a stack and its configuration", "stacks.remove",
            (_STACK, _YES, Flag("force", "Leave behind any resources", "f"), Flag("preserve-config"),
             Flag("remove-backups")), "[<stack-name>]", most=1),
    Command("stack select", "Switch the current workspace to the given stack", "stacks.select",
            (_STACK, Flag("create", "Create the stack if it does not exist", "c"), _PROVIDER), "[<stack>]", most=1),
    Command("stack tag get", "Get a single stack tag value", "tags.get", (_STACK,), "<name>", 1, 1),
    Command("stack tag ls", "List all stack tags", "tags.list_", (*_FORMATS, _STACK)),
    Command("stack tag rm", "Remove a stack tag", "tags.remove", (_STACK,), "<name>", 1, 1),
    Command("stack tag set", "Set a stack tag", "tags.set_", (_STACK,), "<name> <value>", 2, 2),
    Command("stack unselect", "Resets stack selection from the current workspace", "stacks.unselect"),
    Command("state delete", "Delete a resource from a stack's state", "states.delete",
            (_STACK, _YES, Flag("all"), Flag("force", "Delete protected resources"),
             Flag("target-dependents", "Delete the URN and all its dependents")), "[resource URN]", most=1),
    Command("state move", "Move resources from one stack to another", "states.move",
            (_YES, Flag("source", kind="string"), Flag("dest", kind="string"), Flag("include-parents")),
            "<urn>...", most=None),
    Command("state protect", "Protect a resource in a stack's state", "states.protect",
            (_STACK, _YES, Flag("all")), "[resource URN]...", most=None),
    Command("state rename", "Rename a resource in the state", "states.rename",
            (_STACK, _YES), "<resource URN> <new name>", 2, 2),
    Command("state unprotect", "Unprotect a resource in a stack's state", "states.unprotect",
            (_STACK, _YES, Flag("all")), "[resource URN]...", most=None),
    Command("up", "Create or update the resources in a stack", "operate.up",
            (*_OPERATION, *_APPLY, *_REPLACE, _PROVIDER, Flag("strict"),
             Flag("plan", "A plan saved by preview, that bounds what the update may do", kind="string"))),
    Command("version", "Print Pulumi's version number", "about.version"),
    Command("whoami", "Display the current logged-in user", "account.whoami",
            (*_FORMATS, Flag("verbose", "Print detailed whoami information", "v"))),
)  # fmt: skip

ALIASES = {
    "update": "up", "pre": "preview", "down": "destroy",
    "stack new": "stack init", "stack list": "stack ls", "stack remove": "stack rm", "stack delete": "stack rm",
    "stack get": "stack", "config remove": "config rm", "config copy": "config cp", "config list": "config",
    "config delete": "config rm", "config ls": "config", "config remove-all": "config rm-all",
    "state remove": "state delete", "plugin list": "plugin ls", "plugin remove": "plugin rm",
    "stack tag list": "stack tag ls", "stack tag remove": "stack tag rm",
}  # fmt: skip

ELSEWHERE = {
    "ai": "needs Pulumi Cloud", "api": "needs Pulumi Cloud", "neo": "needs Pulumi Cloud",
    "config env": "needs Pulumi Cloud (ESC environments)", "console": "needs Pulumi Cloud",
    "convert": "converts programs of other languages", "deployment": "needs Pulumi Cloud",
    "do": "needs Pulumi Cloud", "env": "needs Pulumi Cloud (ESC environments)", "insights": "needs Pulumi Cloud",
    "org": "needs Pulumi Cloud", "package": "generates SDKs", "policy": "runs policy packs of their own",
    "project": "needs Pulumi Cloud", "schema": "is for authors of providers", "service": "needs Pulumi Cloud",
    "state edit": "opens an editor", "state repair": "mends states by guessing", "state upgrade": "moves old layouts",
    "state taint": "marks for replacement; `pulumi up --replace URN` does that",
    "template": "needs Pulumi Cloud", "watch": "updates on each change of a file",
}  # fmt: skip
