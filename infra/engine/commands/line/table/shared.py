"""Flags that many commands have, and those that all have."""

from __future__ import annotations

from infra.engine.commands.line.flags import Flag

STACK = Flag("stack", "The name of the stack to operate on. Defaults to the current stack", "s", "string")
YES = Flag("yes", "Skip confirmation prompts", "y")
JSON = Flag("json", "Emit output as JSON", "j")
OUTPUT = Flag("output", "Output format: default or json", kind="string", default="default")
FORMATS = (JSON, OUTPUT)
CONFIG_FILE = Flag("config-file", "Use the configuration values in the specified file", kind="string")
PATH = Flag("path", "The key contains a path to a property in a map or list")
SECRETS = Flag("show-secrets", "Display secrets in plaintext")
PROVIDER = Flag(
    "secrets-provider", "The secrets provider: default or passphrase", kind="string", default="default"
)
CONFIG = (
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
