"""``dagger config``: what a module's dagger.json says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ci.engine.commands.globals import Settings
from ci.engine.commands.modules.asking import asking
from ci.engine.commands.modules.sources import Source
from ci.engine.commands.shown.tables import table


def config(values: Mapping[str, Any]) -> int:
    """Print a module's configuration.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no such module.
        QueryError: it cannot be read.
    """
    with asking(Settings.of(values)) as client:
        source = Source.named(client, values).required()
        context, root = source.folders()
        known = source.told("moduleName sdk { source }")
    if values.get("json"):
        print((root / "dagger.json").read_text(encoding="utf-8"), end="")
        return os.EX_OK
    rows = (
        ("Name:", known["moduleName"]),
        ("SDK:", (known["sdk"] or {}).get("source") or ""),
        ("Context Directory:", str(context)),
        ("Source Root Directory:", str(root)),
    )
    print(table((), rows), end="")
    return os.EX_OK
