"""``dagger install``, ``uninstall`` and ``update``: what a local module depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.engine.commands.arguments.quoting import quoted
from ci.engine.commands.globals import Settings
from ci.engine.commands.modules.asking import asking
from ci.engine.commands.modules.sources import Source


def install(named: str, values: Mapping[str, Any]) -> int:
    """Make a module a dependency.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no module to change, or it cannot be.
        QueryError: there is no such dependency.
    """
    settings = Settings.of(values)
    with asking(settings) as client:
        source = Source.named(client, values).required()
        context, _ = source.folders()
        dependency = Source.at(client, _local(settings.workdir, named))
        name = values.get("name") or dependency.told("moduleName")["moduleName"]
        if values.get("name"):
            dependency = dependency.changed("withName", name=name)
        changed = source.changed("withDependencies", dependencies=[dependency.id()]).for_version(values)
        changed.write(context, "failed to install dependency")
    print(f"Installed module dependency {quoted(name)}")
    return os.EX_OK


def uninstall(named: str, values: Mapping[str, Any]) -> int:
    """Remove a dependency.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no module to change, or it has no such dependency.
    """
    return _modify(values, "withoutDependencies", [named])


def update(names: Sequence[str], values: Mapping[str, Any]) -> int:
    """Update dependencies.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no module to change, or it cannot be.
    """
    return _modify(values, "withUpdateDependencies", list(names))


def _modify(values: Mapping[str, Any], change: str, names: list[str]) -> int:
    with asking(Settings.of(values)) as client:
        source = Source.named(client, values).required()
        context, _ = source.folders()
        changed = source.changed(change, dependencies=names).for_version(values)
        changed.write(context, "failed to update dependencies")
    return os.EX_OK


def _local(workdir: Path, named: str) -> str:
    """A path that exists, as one that is seen to be a path."""
    if not named.startswith((".", "/")) and (workdir / named).is_dir():
        return f"./{named}"
    return named
