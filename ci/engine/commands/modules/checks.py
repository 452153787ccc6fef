"""``dagger check``: the functions of a module that are checks, listed or run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ci.engine.commands.globals import Settings
from ci.engine.commands.graphql import Client
from ci.engine.commands.modules.asking import ModuleError, asking, of_module
from ci.engine.commands.modules.marked import first_line, shown_name
from ci.engine.commands.shown.tables import table

_FIELDS = "name description checkType"


def check(patterns: Sequence[str], values: Mapping[str, Any]) -> int:
    """Run the checks that patterns select, or all of them; return 1 if one has failed.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no such module, or it was not told which checks.
        QueryError: the module cannot be loaded, or a check ended the others.
    """
    if values.get("generate") and values.get("no-generate"):
        raise ModuleError("--generate and --no-generate cannot be used together")
    with asking(Settings.of(values)) as client:
        if values.get("list"):
            print(_listed(_checks(client, values, patterns, f"list {{ {_FIELDS} }}")["list"]), end="")
            return os.EX_OK
        fast = "(failFast: true)" if values.get("failfast") else ""
        run = f"run{fast} {{ list {{ {_FIELDS} passed error {{ message }} }} }}"
        done = _checks(client, values, patterns, run)["run"]["list"]
    for each in done:
        print(f"{'✔' if each['passed'] else '✘'} {shown_name(each)}")
        if not each["passed"] and each["error"]:
            print(each["error"]["message"], file=sys.stderr)
    failed = sum(not each["passed"] for each in done)
    if failed:
        print(f"Error: {failed} checks failed", file=sys.stderr)
    return 1 if failed else os.EX_OK


def _checks(client: Client, values: Mapping[str, Any], patterns: Sequence[str], fields: str) -> Any:
    only = ", noGenerate: true" if values.get("no-generate") else ""
    chosen = f"checks(include: {json.dumps(list(patterns))}{only})"
    return of_module(client, values, f"{chosen} {{ {fields} }}")["checks"]


def _listed(found: Sequence[Mapping[str, Any]]) -> str:
    checks = [(shown_name(each), first_line(each)) for each in found if each["checkType"] != "generate"]
    generators = [(shown_name(each), first_line(each)) for each in found if each["checkType"] == "generate"]
    shown = table(("Name", "Description"), checks)
    return shown + (f"\n{table(('Generators', ''), generators)}" if generators else "")
