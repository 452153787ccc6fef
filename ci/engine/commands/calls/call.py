"""``dagger call`` and ``dagger core``: a chain of functions, and what its end gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine.commands.arguments.flags import Flag, Flags, parse
from ci.engine.commands.arguments.kinds import SWITCH, TEXT
from ci.engine.commands.arguments.quoting import quoted
from ci.engine.commands.calls import changes, results
from ci.engine.commands.calls.chain import Chain, Level, Step, UsageError, walk
from ci.engine.commands.calls.definitions import Function, Provider, Type
from ci.engine.commands.calls.functions_of import offered
from ci.engine.commands.calls.types import Types
from ci.engine.commands.calls.values import Asked, asked, literal
from ci.engine.commands.globals import GLOBALS, HELP, Settings
from ci.engine.commands.graphql import Client, Fault, QueryError
from ci.engine.commands.modules.asking import Served, asking, reference, serve
from ci.engine.commands.shown.help import Help
from ci.engine.modules.types.kinds import OBJECT, VOID
from ci.engine.modules.types.names import kebab, lower_camel

OPTIONS = (
    Flag("json", SWITCH, "Present result as JSON", short="j"),
    Flag("output", TEXT, "Save the result to a local file or directory", short="o"),
)
_QUERY = Type(OBJECT, "Query")


@dataclass(frozen=True, slots=True)
class Called:
    """The command that is being served: its name, flags of its own, and what it is for."""

    name: str
    options: tuple[Flag, ...]
    short: str
    experimental: bool = False

    @property
    def path(self) -> str:
        """As help calls it."""
        return f"dagger {self.name}"


@dataclass(frozen=True, slots=True)
class _Result:
    """What is to be printed, where, and whether the changes it is about have been asked for."""

    out: str = ""
    err: str = ""


def call(called: Called, words: Sequence[str], *, core: bool) -> int:
    """Call functions; return the exit code: that of a command that failed, or 1 for anything else.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: the module cannot be had.
        QueryError: the module cannot be loaded.
    """
    options = (*called.options, *GLOBALS, HELP)
    early = parse(Flags(options, kebab), words, interspersed=False, lenient=True).values
    everywhere = parse(Flags((*GLOBALS, HELP), kebab), words, lenient=True).values
    helping = bool(everywhere.get("help"))
    if helping:
        words = [word for word in words if word not in {"--help", "-h"}]
    settings = Settings.of(everywhere)
    try:
        with asking(settings) as client:
            served = None if core or early.get("no-mod") else serve(client, reference(early))
            types = Types(client, hide_core=served is not None or not (core or early.get("no-mod")))
            start = start_of(types, served)
            chain = walk(types, start, called.path, options, words, helping=helping)
            result = (
                _Result(_help(called, chain.last)) if helping else _Call(client, chain, settings).result()
            )
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)
        if helping:
            print(f"\n{_help(called, error.level)}", end="")
        else:
            print(f"Run '{error.level.path} --help' for usage.", file=sys.stderr)
        return 1
    except QueryError as error:
        return _failed(error)
    print(result.err, end="", file=sys.stderr)
    print(result.out, end="", flush=True)
    if result.out and not result.out.endswith("\n") and sys.stdout.isatty():
        print()
    return 0


def start_of(types: Types, served: Served | None) -> Function:
    """Return the function that makes the main object; the top of the API where there is no module."""
    top = types.provider(_QUERY)
    made = top.function(lower_camel(served.name)) if served else None
    return made or Function("", _QUERY)


def _help(called: Called, level: Level) -> str:
    at_top = level.path == called.path
    provider = level.provider or Provider("")
    rows = sorted((each.command, each.short) for each in offered(provider))
    usage = f"{level.path} [options]" if at_top else level.path
    if level.flags and not at_top:
        usage += " [arguments]"
    groups = [("Arguments", level.flags)]
    if at_top:
        groups += [("Options", called.options), ("Inherited Options", GLOBALS)]
    return Help(
        called.short if at_top else level.function.description or "-",
        level.path,
        usage + (" <function>" if rows else ""),
        experimental=called.experimental,
        commands=[("Functions", rows)] if rows else [],
        flags=groups,
    ).render()


def _failed(error: QueryError) -> int:
    """Tell an error of the API; a command that failed has its own exit code."""
    fault = error.faults[0] if error.faults else Fault(str(error))
    print(f"Error: {fault.message}", file=sys.stderr)
    if fault.details.get("_type") != "EXEC_ERROR":
        return 1
    if not sys.stderr.isatty():
        for name, text in (("Stdout", fault.details.get("stdout")), ("Stderr", fault.details.get("stderr"))):
            if text:
                print(f"{name}:\n{text}", file=sys.stderr)
    return int(fault.details.get("exitCode") or 1)


class _Call:
    """A chain that is complete, to be asked for."""

    def __init__(self, client: Client, chain: Chain, settings: Settings) -> None:
        self._client = client
        self._chain = chain
        self._settings = settings
        self._type = chain.last.function.returns
        self._output: str = chain.options.get("output") or ""

    def result(self) -> _Result:
        """Ask, and tell what came."""
        if self._type == _QUERY or not self._chain.steps:
            return _Result("Query\n")
        leaf, saved = self._leaf()
        value = self._ask(leaf)
        if self._type.kind == VOID:
            return _Result()
        if saved:
            return _Result(err=f"Saved to {quoted(str(value))}.\n")
        if self._type.single.name == "Changeset":
            ids = [each["id"] for each in (value if isinstance(value, list) else [{"id": value}])]
            changes.apply(self._client, ids, self._settings)
            return _Result()
        if self._type.provides:
            return _Result(results.objects(self._type, value))
        text = results.as_json(value) if self._chain.options.get("json") else results.plain(value)
        return _Result(text, self._saved(text) if self._output else "")

    def _leaf(self) -> tuple[str, bool]:
        """What is selected of an object at the end, and whether that saves it."""
        if not self._type.provides:
            return "", False
        provider = self._chain.last.provider or Provider("")
        export = provider.function("export")
        if self._output and export and any(each.name == "path" for each in export.arguments):
            upwards = any(each.name == "allowParentDirPath" for each in export.arguments)
            rest = ", allowParentDirPath: true" if upwards else ""
            return f"id: export(path: {literal(self._output, {})}{rest})", True
        sync = provider.function("sync")
        return ("id: sync" if sync is not None and not sync.arguments else "id"), False

    def _ask(self, leaf: str) -> Any:
        found = self._resolved()
        query, path = leaf, ("id",) if leaf else ()
        for step in reversed(self._chain.steps):
            arguments = ", ".join(f"{name}: {literal(value, found)}" for name, value in step.values.items())
            selected = f" {{ {query} }}" if query else ""
            query = f"{step.field}({arguments}){selected}" if arguments else f"{step.field}{selected}"
            path = (step.field, *path)
        return results.unwrapped(self._client.ask(f"{{ {query} }}"), path)

    def _resolved(self) -> dict[Asked, str]:
        """The IDs of the objects that are arguments, all asked for at once."""
        wanted: dict[Asked, tuple[Step, str]] = {}
        for step in self._chain.steps:
            for name, value in step.values.items():
                wanted.update((each, (step, name)) for each in asked(value))
        if not wanted:
            return {}
        aliases = {f"a{number}": each for number, each in enumerate(wanted)}
        query = " ".join(f"{alias}: {each.query}" for alias, each in aliases.items())
        try:
            answer = self._client.ask(f"{{ {query} }}")
        except QueryError as error:
            fault = error.faults[0] if error.faults else Fault(str(error))
            about = aliases.get(str(fault.path[0])) if fault.path else None
            if about is None:
                raise
            step, name = wanted[about]
            message = f"failed to get value for argument {quoted(kebab(name))}: {fault.message}"
            raise UsageError(message, step.level) from None
        return {each: results.unwrapped(answer[alias], each.path) for alias, each in aliases.items()}

    def _saved(self, text: str) -> str:
        path = self._settings.workdir / self._output
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return f"Saved output to {quoted(str(Path(path).resolve()))}.\n"
