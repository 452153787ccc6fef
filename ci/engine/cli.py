"""``dagger``: Dagger's command line, served by the embedded engine or handed over to the real program."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ci.engine.commands import handover
from ci.engine.commands.manner import progress_of, workdir_of
from ci.engine.connection import Connection
from ci.engine.progress import MODES

FLAGS = ("--embedded", "--no-embedded")
#: Commands that have nothing to do with modules: as first words they are known without what those take.
PLAIN = frozenset({"session", "run", "r", "query", "q"})
ELSEWHERE = {"shell": "is an interactive shell", "login": "is for Dagger Cloud"}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like the real program's, and have its exit code."""

    def error(self, message: str) -> NoReturn:
        self.exit(1, f"Error: {message}\nRun '{self.prog} --help' for usage.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    own, theirs = _split(given)
    asked = [flag == "--embedded" for flag in own if flag in FLAGS]
    try:
        choice = handover.choose(asked[-1] if asked else None)
    except handover.ChoiceError as error:
        return _failed(str(error))
    if choice.program is not None:  # it may know commands and options that are unknown here
        print(choice.line, file=sys.stderr, flush=True)
        handover.hand_over(choice.program, [*(word for word in own if word not in FLAGS), *theirs])
    plain = bool(own) and own[0] in PLAIN
    if not plain and (named := _about_modules(own)) is not None:
        from ci.engine.commands.modules import line

        return _told(line.serve_command, *named)
    options = _parser(plain=plain).parse_args(own)
    options.command_line = theirs
    if options.command in {"run", "query", "session"} and not options.quiet_start:
        print(_who_serves(options, choice), file=sys.stderr, flush=True)
    return _told(_served, options)


def _told(command: Callable[..., int], *arguments: Any) -> int:
    """Run a command; what it cannot do for want of an engine is told in one line."""
    from ci.engine.commands.engine import NoEngineError
    from ci.engine.errors import EngineError

    try:
        return command(*arguments)
    except (NoEngineError, EngineError) as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return 130


def _about_modules(words: list[str]) -> tuple[str, list[str]] | None:
    """Tell the name of a command about modules from the words around it; None if it is another one."""
    from ci.engine.commands.arguments.flags import Flags, parse
    from ci.engine.commands.globals import GLOBALS
    from ci.engine.commands.modules import line

    rest = parse(Flags((*GLOBALS, *line.MODULE)), words, interspersed=False, lenient=True).rest
    if not rest or rest[0] not in line.NAMES:
        return None
    position = len(words) - len(rest)
    return words[position], [*words[:position], *words[position + 1 :]]


def _who_serves(options: argparse.Namespace, choice: handover.Choice) -> str:
    known = Connection.from_variables(os.environ) if options.command != "session" else None
    return choice.line if known is None else f"dagger: using the session at port {known.port}"


def _served(options: argparse.Namespace) -> int:
    commands = {"version": _version, "session": _session, "run": _run, "query": _query}
    return commands.get(options.command, _elsewhere)(options, workdir_of(options.workdir))


def _version(_options: argparse.Namespace, _workdir: Path) -> int:
    from ci.engine.commands import version

    print(version.line())
    return os.EX_OK


def _session(options: argparse.Namespace, workdir: Path) -> NoReturn:
    from ci.engine.commands.caller import Caller
    from ci.engine.commands.session import session

    caller = Caller.parse(options.caller) if options.caller else None
    session(workdir, _progress(options, live=False), caller)


def _elsewhere(options: argparse.Namespace, _workdir: Path) -> int:
    name = options.command
    return _failed(f"`dagger {name}` ({ELSEWHERE[name]}) is not served by the embedded engine yet")


def _run(options: argparse.Namespace, workdir: Path) -> int:
    from ci.engine.commands.run import CommandNotFoundError, run

    if not options.command_line:
        return _failed("requires at least 1 arg(s), only received 0: name the command to run")
    try:
        return run(
            options.command_line,
            workdir,
            _progress(options, live=True),
            options.cleanup_timeout,
            brief=bool(options.quiet),
            interactive=_interactive(options),
        )
    except CommandNotFoundError as error:
        return _failed(str(error))


def _query(options: argparse.Namespace, workdir: Path) -> int:
    from ci.engine.commands.globals import Settings
    from ci.engine.commands.graphql import QueryError
    from ci.engine.commands.modules.asking import ModuleError, reference
    from ci.engine.commands.query import query, read_variables

    try:
        values = read_variables(options.var, options.var_json)
        return query(
            options.doc,
            options.operation,
            values,
            Settings(
                workdir, _progress(options, live=True), bool(options.quiet), tuple(_interactive(options))
            ),
            module=reference({"mod": options.mod, "no-mod": options.no_mod}),
            alone=options.no_mod,
        )
    except (QueryError, ModuleError) as error:
        return _failed(*error.args)


def _progress(options: argparse.Namespace, *, live: bool) -> str:
    return progress_of(options.progress, silent=options.silent, quiet=bool(options.quiet), live=live)


def _interactive(options: argparse.Namespace) -> list[str]:
    """Return the command to run in a container whose own failed; empty for none."""
    return shlex.split(options.interactive_command) if options.interactive else []


def _failed(*messages: str) -> int:
    for message in messages:
        print(f"Error: {message}", file=sys.stderr)
    return 1


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split the arguments of ``dagger run`` before the command to be run: its options are its own."""
    valued = {"--progress", "--workdir", "--cleanup-timeout", "--interactive-command"}
    words = iter(enumerate(arguments))
    running = False
    for position, word in words:
        if word in valued:
            next(words, None)
        elif word == "--" and running:
            return arguments[:position], arguments[position + 1 :]
        elif not word.startswith("-"):
            if running:
                return arguments[:position], arguments[position:]
            if word not in {"run", "r"}:
                break
            running = True
    return arguments, []


def _parser(*, plain: bool) -> argparse.ArgumentParser:
    # Each has options of its own, though the same: a default that is set here must not be one of a command's.
    parser = _Parser("dagger", description=__doc__, parents=[_common()], allow_abbrev=False)
    parser.set_defaults(embedded=None, progress=None, workdir=None, silent=False, quiet=0, quiet_start=False)
    parser.set_defaults(interactive=False, interactive_command="/bin/sh")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, *aliases: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, aliases=aliases, parents=[_common()], allow_abbrev=False
        )

    run = command("run", "Run a command in a Dagger session", "r")
    run.set_defaults(command="run")
    run.usage = "dagger run [options] COMMAND..."
    run.add_argument("--cleanup-timeout", type=_seconds, default=10.0, metavar="TIME")
    run.add_argument("--focus", action="store_true", help=argparse.SUPPRESS)
    run.add_argument("--load-workspace-modules", action="store_true", help=argparse.SUPPRESS)

    session = command("session", "Serve a session for an SDK, until stdin is closed")
    session.add_argument("--label", action="append", help="who asks; taken for the protocol's sake")
    session.add_argument("--project", help="the project's configuration; taken for the protocol's sake")
    session.add_argument("--version", help=argparse.SUPPRESS)
    session.add_argument("--load-workspace-modules", action="store_true", help=argparse.SUPPRESS)
    session.add_argument("--skip-workspace-modules", action="store_true", help=argparse.SUPPRESS)
    session.add_argument(
        "--quiet-start", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )
    session.add_argument("--caller", help=argparse.SUPPRESS)

    query = command("query", "Send a query to the API and print its answer", "q")
    query.set_defaults(command="query")
    query.add_argument("operation", nargs="?", help="which operation, when the document has several")
    query.add_argument("--doc", metavar="FILE", help="the file with the query (default: stdin)")
    query.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="a variable of the query"
    )
    query.add_argument("--var-json", metavar="JSON", help="all variables, as a JSON object")
    query.add_argument("-m", "--mod", metavar="PATH", help="the module whose functions it may call")
    query.add_argument("-M", "--no-mod", action="store_true", help="use no module")

    command("version", "Print the version of Dagger whose API is served")
    if not plain:  # for the list of commands
        from ci.engine.commands.modules import line

        for name, what in line.SUMMARIES.items():
            commands.add_parser(name, help=what, add_help=False)
    for name, what in ELSEWHERE.items():
        other = command(name, f"Not served by the embedded engine yet ({what})")
        other.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _common() -> _Parser:
    """Return the options that may stand before a command or after it."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    who = common.add_mutually_exclusive_group()
    who.add_argument("--embedded", action="store_true", help="serve from the embedded engine")
    who.add_argument(
        "--no-embedded", dest="embedded", action="store_false", help="hand over to the real dagger"
    )
    common.add_argument("--progress", choices=MODES, help="how to show progress (default: auto)")
    common.add_argument("-q", "--quiet", action="count", help="show less of it")
    common.add_argument("-s", "--silent", action="store_true", help="show no progress at all")
    common.add_argument(
        "-i", "--interactive", action="store_true", help="open a terminal in a container whose command failed"
    )
    common.add_argument(
        "--interactive-command", metavar="COMMAND", help="what to run there (default: /bin/sh)"
    )
    common.add_argument("-v", "--verbose", action="count", help=argparse.SUPPRESS)
    common.add_argument("-d", "--debug", action="store_true", help=argparse.SUPPRESS)
    common.add_argument("--workdir", metavar="DIR", help="the folder that relative host paths start from")
    return common


def _seconds(text: str) -> float:
    """Read a length of time as Go writes simple ones: ``10s``, ``500ms``, ``2m``."""
    for unit, size in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        number = text.removesuffix(unit)
        if number != text:
            return float(number) * size
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
