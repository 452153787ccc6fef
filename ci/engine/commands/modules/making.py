"""``dagger init`` and ``dagger develop``: a module's files, made or brought up to date."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ci.engine.commands.arguments.quoting import quoted
from ci.engine.commands.globals import Settings
from ci.engine.commands.modules import license_file
from ci.engine.commands.modules.asking import ModuleError, asking
from ci.engine.commands.modules.sources import Source

_CONFIG = "dagger.json"
_BESIDE = ".dagger"  # where code goes in a folder that has other things already
_CHANGES = ("sdk", "name", "source", "license", "include", "with-self-calls")


def init(path: str | None, values: Mapping[str, Any]) -> int:
    """Make a module at a path, or in the current directory.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is one already, or it cannot be made.
    """
    settings = Settings.of(values)
    sdk = values.get("sdk") or ""
    if values.get("with-self-calls") and not sdk:
        raise ModuleError("cannot enable self-calls feature without specifying --sdk")
    with asking(settings) as client:
        relative = os.path.relpath(settings.workdir / (path or "."), settings.workdir)
        source = Source.at(client, relative if relative.startswith(".") else f"./{relative}", new=True)
        if source.exists():
            if not any(name in values for name in _CHANGES):
                return os.EX_OK
            raise ModuleError("module already exists")
        context, root = source.folders()
        name = values.get("name") or root.name
        changed = source.changed("withName", name=name)
        if sdk:
            changed = changed.changed("withSDK", source=sdk)
            changed = changed.changed("withSourceSubpath", path=_source_path(settings, root, values))
        elif values.get("source"):
            changed = changed.changed("withSourceSubpath", path=values["source"])
        if values.get("include"):
            changed = changed.changed("withIncludes", patterns=values["include"])
        changed = changed.changed("withEngineVersion", version="latest")
        if values.get("with-self-calls"):
            changed = changed.changed("withExperimentalFeatures", features=["SELF_CALLS"])
        changed.write(context, "failed to generate code")
        if sdk:
            _license(root, values)
    print(f"Initialized module {name} in {root}")
    return os.EX_OK


def develop(values: Mapping[str, Any]) -> int:
    """Bring a module's files up to date.

    Raises:
        NoEngineError: there is no session to be had.
        EngineError: the flags that every command has ask for what cannot be had.
        ModuleError: there is no such module, or it cannot be.
    """
    if values.get("with-self-calls") and values.get("without-self-calls"):
        raise ModuleError("cannot use --with-self-calls and --without-self-calls at the same time")
    settings = Settings.of(values)
    with asking(settings) as client:
        source = Source.named(client, values)
        for each in _all(source) if values.get("recursive") else [source]:
            _develop(each, settings, values)
    return os.EX_OK


def _develop(source: Source, settings: Settings, values: Mapping[str, Any]) -> None:
    context, root = source.folders()
    known = source.told("configExists sourceSubpath sdk { source }")
    sdk, wanted = (known["sdk"] or {}).get("source") or "", values.get("sdk") or ""
    path = known["sourceSubpath"] or ""
    if wanted and sdk not in {"", wanted}:
        raise _set_already("SDK", sdk)
    if not (sdk or wanted or values.get("source")):
        told = "dagger develop on a module without an SDK or clients requires either --sdk or --source"
        raise ModuleError(told)
    changed = source.for_version(values)
    if wanted:
        changed = changed.changed("withSDK", source=wanted)
    if values.get("source") or not (sdk or path):
        chosen = _source_path(settings, root, values)
        set_to = os.path.relpath(context / path, root) if path and sdk else ""
        if set_to not in {"", chosen}:
            raise _set_already("source path", set_to)
        changed = changed.changed("withSourceSubpath", path=chosen)
    changed.write(context, "failed to generate code")
    if wanted:
        _license(root, values)


def _all(source: Source, seen: dict[Path, Source] | None = None) -> Iterator[Source]:
    """A module's source, and those of the local ones that it depends on."""
    seen = {} if seen is None else seen
    _, root = source.folders()
    if root in seen:
        return
    seen[root] = source
    yield source
    for each in source.told("dependencies { kind localContextDirectoryPath sourceRootSubpath }")[
        "dependencies"
    ]:
        if each["kind"] == "LOCAL_SOURCE":
            folder = os.path.normpath(Path(each["localContextDirectoryPath"], each["sourceRootSubpath"]))
            yield from _all(Source.at(source.client, folder), seen)


def _set_already(what: str, value: str) -> ModuleError:
    return ModuleError(f"cannot update module {what} that has already been set to {quoted(value)}")  # noqa: S608


def _source_path(settings: Settings, root: Path, values: Mapping[str, Any]) -> str:
    """Where the code is to be, below the module's folder."""
    if values.get("source"):
        return os.path.relpath(settings.workdir / values["source"], root)
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return "."
    others = [name for name in names if name != _CONFIG]
    return _BESIDE if _BESIDE in others or any(not name.startswith(".") for name in others) else "."


def _license(root: Path, values: Mapping[str, Any]) -> None:
    wanted = values.get("license", "Apache-2.0")
    if wanted and license_file.add(root, wanted, look_around="license" not in values):
        print(f"added {root / 'LICENSE'} ({wanted}), as there was none: change or remove it", file=sys.stderr)
