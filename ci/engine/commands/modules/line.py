"""The commands about modules: their flags and help, and which function serves each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci.engine.commands.arguments.flags import Flag, FlagError, Flags, parse
from ci.engine.commands.arguments.kinds import SWITCH, TEXT, TEXTS
from ci.engine.commands.globals import GLOBALS, HELP
from ci.engine.commands.modules import texts
from ci.engine.commands.shown.help import Help

MODULE = (
    Flag("allow-llm", TEXTS, texts.ALLOW_LLM),
    Flag("eager-runtime", SWITCH, "Load a module's runtime at once"),
    Flag("mod", TEXT, texts.MOD, short="m"),
)
_NO_MODULE = Flag("no-mod", SWITCH, texts.NO_MOD, short="M")
_COMPAT = Flag("compat", TEXT, "The version of the engine's API to be made for", default="latest")
_LICENSE = Flag("license", TEXT, texts.LICENSE, default="Apache-2.0")
_SELF_CALLS = Flag("with-self-calls", SWITCH, "Let the module call itself (experimental)")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """A command; ``least`` and ``most`` are how many words it takes, None for any number."""

    name: str
    arguments: str
    short: str
    run: Callable[[Sequence[str], Values], int]
    flags: tuple[Flag, ...] = ()
    long: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None

    def help(self) -> str:
        """Its help."""
        path = f"dagger {self.name}"
        return Help(
            self.long or self.short,
            path,
            f"{path} [options]{' ' if self.arguments else ''}{self.arguments}",
            aliases=(self.name, *self.aliases) if self.aliases else (),
            example=self.example,
            flags=[("Options", self.flags), ("Inherited Options", GLOBALS)],
        ).render()


def _functions(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.calls.functions import functions

    return functions(words, values)


def _init(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.making import init

    return init(words[0] if words else None, values)


def _develop(_words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.making import develop

    return develop(values)


def _install(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.dependencies import install

    return install(words[0], values)


def _uninstall(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.dependencies import uninstall

    return uninstall(words[0], values)


def _update(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.dependencies import update

    return update(words, values)


def _config(_words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.configuration import config

    return config(values)


def _generate(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.marked import generate

    return generate(words, values)


def _up(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.marked import up

    return up(words, values)


def _check(words: Sequence[str], values: Values) -> int:
    from ci.engine.commands.modules.checks import check

    return check(words, values)


COMMANDS = (
    Command("functions", "[function]...", "List available functions", _functions, MODULE, texts.FUNCTIONS),
    Command(
        "init",
        "[path]",
        "Make a new module",
        _init,
        (
            Flag("include", TEXTS, texts.INCLUDE),
            _LICENSE,
            Flag("name", TEXT, "Name of the new module (default: that of its directory)"),
            Flag("sdk", TEXT, "The SDK to write it with: python"),
            Flag("source", TEXT, texts.SOURCE),
            _SELF_CALLS,
        ),
        texts.INIT,
        "dagger init --sdk=python",
        most=1,
    ),
    Command(
        "develop",
        "",
        "Prepare a local module for development",
        _develop,
        (
            *MODULE,
            Flag("compat", TEXT, _COMPAT.usage, default="latest", absent="skip"),
            _LICENSE,
            Flag("recursive", SWITCH, "Also the local modules that it depends on", short="r"),
            Flag("sdk", TEXT, "The SDK to write it with, where it has none yet: python"),
            Flag("source", TEXT, texts.SOURCE),
            _SELF_CALLS,
            Flag("without-self-calls", SWITCH, "Do not let the module call itself"),
        ),
        texts.DEVELOP,
        most=0,
    ),
    Command(
        "install",
        "<module>",
        "Install a dependency",
        _install,
        (*MODULE, _COMPAT, Flag("name", TEXT, texts.DEPENDENCY_NAME, short="n")),
        "Make another module a dependency of the current one.",
        "dagger install ./path/to/module",
        ("use",),
        least=1,
        most=1,
    ),
    Command(
        "uninstall",
        "<module>",
        "Uninstall a dependency",
        _uninstall,
        (*MODULE, _COMPAT),
        "Remove a dependency of the current module, which is a local one.",
        "dagger uninstall hello",
        least=1,
        most=1,
    ),
    Command(
        "update",
        "[<DEPENDENCY>...]",
        "Update a module's dependencies",
        _update,
        (*MODULE, _COMPAT),
        "Update the dependencies of a local module: those that are named, or all of them.",
        "dagger update hello",
    ),
    Command(
        "config",
        "",
        "Show a module's configuration",
        _config,
        (*MODULE, Flag("json", SWITCH, "As JSON")),
        "Show the configuration of a module.",
        "dagger config -m /path/to/module",
        most=0,
    ),
    Command(
        "check",
        "[pattern...]",
        "Check a project by running its tests, linters and so on",
        _check,
        (
            *MODULE,
            Flag("failfast", SWITCH, "Do not start another check after one has failed"),
            Flag("generate", SWITCH, "Only generators, as checks"),
            Flag("list", SWITCH, "List the checks", short="l"),
            Flag("no-generate", SWITCH, "Only functions that are checks"),
        ),
        texts.CHECK,
        aliases=("checks",),
    ),
    Command(
        "generate",
        "[pattern...]",
        "Generate assets of a project",
        _generate,
        (*MODULE, Flag("list", SWITCH, "List the generators", short="l")),
        texts.GENERATE,
    ),
    Command(
        "up",
        "[pattern...]",
        "Start a project's services, open on the host",
        _up,
        (*MODULE, Flag("list", SWITCH, "List the services", short="l")),
        texts.UP,
    ),
)
_NAMED = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
_CHAINED = {"call": texts.CALL, "core": texts.CORE}
#: The commands, and what they are for, as the list of all commands has them.
SUMMARIES = {**_CHAINED, **{command.name: command.short for command in COMMANDS}}
NAMES = frozenset({*_NAMED, *_CHAINED})


def serve_command(name: str, words: Sequence[str]) -> int:
    """Run a command about modules; return its exit code.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags ask for what cannot be had.
    """
    from ci.engine.commands.graphql import QueryError
    from ci.engine.commands.modules.asking import ModuleError

    try:
        return _chained(name, words) if name in _CHAINED else _plain(_NAMED[name], words)
    except (ModuleError, QueryError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _chained(name: str, words: Sequence[str]) -> int:
    from ci.engine.commands.calls.call import OPTIONS, Called, call

    core = name == "core"
    flags = OPTIONS if core else (*OPTIONS, *MODULE, _NO_MODULE)
    return call(Called(name, flags, _CHAINED[name], experimental=core), words, core=core)


def _plain(command: Command, words: Sequence[str]) -> int:
    path = f"dagger {command.name}"
    try:
        parsed = parse(Flags((*command.flags, *GLOBALS, HELP)), words)
    except FlagError as error:
        return _wrong(str(error), path)
    if parsed.values.get("help"):
        print(command.help(), end="")
        return os.EX_OK
    if (complaint := _arity(command, parsed.rest, path)) is not None:
        return _wrong(complaint, path)
    return command.run(parsed.rest, parsed.values)


def _arity(command: Command, rest: Sequence[str], path: str) -> str | None:
    if command.most == 0 and rest:
        return f'unknown command "{rest[0]}" for "{path}"'
    if command.least == command.most and len(rest) != command.least:
        return f"accepts {command.least} arg(s), received {len(rest)}"
    if command.most is not None and len(rest) > command.most:
        return f"accepts at most {command.most} arg(s), received {len(rest)}"
    return None


def _wrong(complaint: str, path: str) -> int:
    print(f"Error: {complaint}\nRun '{path} --help' for usage.", file=sys.stderr)
    return 1
