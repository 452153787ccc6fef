"""``dagger functions``: what can be called, in a module or in the object that a chain of functions gives."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ci.engine.commands.arguments.quoting import quoted
from ci.engine.commands.calls.call import start_of
from ci.engine.commands.calls.definitions import Function, Provider
from ci.engine.commands.calls.functions_of import left_out, offered
from ci.engine.commands.calls.types import Types
from ci.engine.commands.globals import Settings
from ci.engine.commands.modules.asking import ModuleError, asking, reference, serve
from ci.engine.commands.shown.style import faint
from ci.engine.commands.shown.tables import table


def functions(names: Sequence[str], values: Mapping[str, Any]) -> int:
    """List functions; ``names`` are a chain of them that leads to the object whose functions are listed.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: the module cannot be had, or has no such functions.
        QueryError: the module cannot be loaded.
    """
    with asking(Settings.of(values)) as client:
        served = serve(client, reference(values))
        types = Types(client, hide_core=True)
        provider = types.provider(start_of(types, served).returns)
        for name in names:
            function = _named(provider, name)
            if not function.returns.provides:
                told = f"function {quoted(name)} returns type {quoted(function.returns.kind)}"
                raise ModuleError(f"{told} with no further functions available")
            provider = types.provider(function.returns)
    known = offered(provider)
    if not known:
        print("No functions found.", file=sys.stderr)
        return 0
    print(table(("Name", "Description"), sorted((each.command, each.short) for each in known)), end="")
    if skipped := left_out(provider):
        told = ", ".join(each.command for each in skipped)
        print(f"\n{faint(f'Skipped {len(skipped)} function(s) with unsupported types: {told}')}")
    return 0


def _named(provider: Provider, name: str) -> Function:
    for function in provider.functions:
        if name in {function.name, function.command}:
            if function in left_out(provider):
                raise ModuleError(f"function {quoted(name)} in type {quoted(provider.name)} is not supported")
            return function
    raise ModuleError(f"no function {quoted(name)} in type {quoted(provider.name)}")
