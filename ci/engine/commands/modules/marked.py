"""``dagger generate`` and ``dagger up``: functions of a module that are marked, listed or run all at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ci.engine.commands.calls import changes
from ci.engine.commands.globals import Settings
from ci.engine.commands.modules.asking import asking, of_module
from ci.engine.commands.shown.tables import table
from ci.engine.modules.types.names import kebab


def generate(patterns: Sequence[str], values: Mapping[str, Any]) -> int:
    """Run the generators that patterns select, or all of them, and apply what they change if that is wanted.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no such module.
        QueryError: the module cannot be loaded, or a generator failed.
    """
    settings = Settings.of(values)
    with asking(settings) as client:
        group = f"generators(include: {json.dumps(list(patterns))})"
        if values.get("list"):
            found = of_module(client, values, f"{group} {{ list {{ name description }} }}")
            print(listed(found["generators"]["list"]), end="")
            return os.EX_OK
        done = of_module(client, values, f"{group} {{ run {{ changes {{ sync }} }} }}")
        changes.apply(client, [done["generators"]["run"]["changes"]["sync"]], settings)
    return os.EX_OK


def up(patterns: Sequence[str], values: Mapping[str, Any]) -> int:
    """Have the services that patterns select, or all of them, open on the host until Ctrl-C.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no such module.
        QueryError: the module cannot be loaded, or a service cannot be started.
    """
    with asking(Settings.of(values)) as client:
        group = f"services(include: {json.dumps(list(patterns))})"
        found = of_module(client, values, f"{group} {{ list {{ name description }} }}")["services"]["list"]
        if values.get("list"):
            print(listed(found), end="")
        elif not found:
            print("no services to start: none is marked with @up", file=sys.stderr)
        else:
            try:
                of_module(client, values, f"{group} {{ run {{ list {{ name }} }} }}")
            except KeyboardInterrupt:  # that is how it ends
                print("stopping the services", file=sys.stderr)
    return os.EX_OK


def listed(found: Sequence[Mapping[str, Any]]) -> str:
    """Functions in a table, as ``--list`` shows them."""
    return table(("Name", "Description"), [(shown_name(each), first_line(each)) for each in found])


def shown_name(each: Mapping[str, Any]) -> str:
    """The path to a function as people write it."""
    return ":".join(kebab(part) for part in str(each["name"]).split(":"))


def first_line(each: Mapping[str, Any]) -> str:
    """The first line of what a function says of itself."""
    return str(each["description"] or "").partition("\n")[0]
