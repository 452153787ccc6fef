"""From words to a command: which one is meant, its help, and its errors as exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from infra.engine.commands.line.flags import Flag, UsageError, command_words, parse
from infra.engine.commands.line.handover import Choice
from infra.engine.commands.line.table import ALIASES, COMMANDS, ELSEWHERE, GLOBAL, Command

STACK_NOT_FOUND = 6
OPERATIONS = frozenset({"preview", "up", "refresh", "destroy", "import", "drift"})


def run(words: Sequence[str], choice: Choice) -> int:
    """Serve the command that ``words`` name; returns the exit code. Raises UsageError."""
    every = [*GLOBAL, *(flag for command in COMMANDS for flag in command.flags)]
    places = command_words(words, every)
    command, taken = _find([words[place] for place in places])
    left = [word for place, word in enumerate(words) if place not in places[:taken]]
    if command is None:
        parsed = parse(left, GLOBAL)
        group = " ".join(words[place] for place in places[:taken])
        if parsed.words and not parsed.values["help"]:
            raise UsageError(
                f'unknown command "{parsed.words[0]}" for "{f"pulumi {group}".strip()}"',
                f"Run '{f'pulumi {group}'.strip()} --help' for usage.",
            )
        print(_overview(group))
        return 0
    flags = _merged(command)
    parsed = parse(left, flags)
    if parsed.values["help"]:
        print(_help(command, flags))
        return 0
    _check_arguments(command, parsed.words)
    return _call(command, parsed, choice)


def _call(command: Command, parsed: object, choice: Choice) -> int:
    from infra.engine.commands.errors import ExitError
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.project.errors import ProjectError
    from infra.engine.state.errors import NoSuchStackError, StateError

    if command.name in OPERATIONS:
        print(choice.line, file=sys.stderr, flush=True)
    module, _, name = command.function.rpartition(".")
    function = getattr(import_module(f"infra.engine.commands.{module}"), name)
    try:
        return int(function(Invocation(parsed, os.environ, choice)) or 0)  # type: ignore[arg-type]
    except ExitError as error:
        if str(error):
            print(f"error: {error}", file=sys.stderr)
        return error.code
    except NoSuchStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return STACK_NOT_FOUND
    except (ProjectError, StateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _find(words: Sequence[str]) -> tuple[Command | None, int]:
    """The command that the first words name, and how many of them do."""
    by_name = {command.name: command for command in COMMANDS}
    groups = {" ".join(name.split()[:depth]) for name in by_name for depth in (1, 2)}
    for taken in range(min(3, len(words)), 0, -1):
        name = " ".join(words[:taken])
        if name in ELSEWHERE:
            raise UsageError(
                f"`pulumi {name}` {ELSEWHERE[name]}, and the embedded engine does not: install the Pulumi CLI"
                " (https://www.pulumi.com/docs/install), which takes over on the same state"
            )
        name = ALIASES.get(name, name)
        if name in by_name:
            command = by_name[name]
            # `stack` takes no argument, so a word after it is a command that does not exist.
            if (
                command.most == 0
                and len(words) > taken
                and any(other.startswith(f"{name} ") for other in by_name)
            ):
                return None, taken
            return command, taken
        if name in groups:
            return None, taken
    return None, 0


def _merged(command: Command) -> tuple[Flag, ...]:
    """The command's flags before the global ones, which give way: ``whoami -v`` is not about logging."""
    names = {flag.name for flag in command.flags}
    letters = {flag.short for flag in command.flags if flag.short}
    rest = (flag for flag in GLOBAL if flag.name not in names and flag.short not in letters)
    return (*command.flags, *rest)


def _check_arguments(command: Command, words: Sequence[str]) -> None:
    if len(words) < command.least:
        exactly = f"accepts {command.least} arg(s), received {len(words)}"
        some = f"requires at least {command.least} arg(s), only received {len(words)}"
        raise UsageError(
            exactly if command.least == command.most else some,
            f"usage: pulumi {command.name} {command.arguments}",
        )
    if command.most is not None and len(words) > command.most:
        if command.most == 0:
            raise UsageError(
                f'unknown command "{words[0]}" for "pulumi {command.name}"',
                f"Run 'pulumi {command.name} --help' for usage.",
            )
        raise UsageError(
            f"accepts at most {command.most} arg(s), received {len(words)}",
            f"usage: pulumi {command.name} {command.arguments}",
        )


def _help(command: Command, flags: Sequence[Flag]) -> str:
    shown = [(_signature(flag), flag.help) for flag in sorted(flags, key=lambda flag: flag.name) if flag.help]
    width = max(len(signature) for signature, _ in shown)
    lines = "\n".join(f"  {signature:<{width}}   {text}" for signature, text in shown)
    below = [other for other in COMMANDS if other.name.startswith(f"{command.name} ")]
    inner = "".join(f"\n  {other.name.removeprefix(command.name + ' '):<24}{other.help}" for other in below)
    commands = f"\n\nAvailable Commands:{inner}" if below else ""
    usage = f"pulumi {command.name} {command.arguments}".rstrip()
    return f"{command.help}\n\nUsage:\n  {usage} [flags]{commands}\n\nFlags:\n{lines}"


def _signature(flag: Flag) -> str:
    short = f"-{flag.short}, " if flag.short else "    "
    kind = {"bool": "", "list": " stringArray", "optional": " string"}.get(flag.kind, f" {flag.kind}")
    return f"{short}--{flag.name}{kind}"


def _overview(group: str) -> str:
    prefix = f"{group} " if group else ""
    names = [command for command in COMMANDS if command.name.startswith(prefix) and command.name != group]
    lines = "\n".join(f"  {command.name.removeprefix(prefix):<24}{command.help}" for command in names)
    title = "Pulumi's command line, served by the embedded engine" if not group else f"pulumi {group}"
    return f"{title}\n\nUsage:\n  pulumi {prefix}[command]\n\nCommands:\n{lines}"
