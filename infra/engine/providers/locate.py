"""Where provider plugins are: ``pulumi-resource-NAME`` in Pulumi's plugin folder or on PATH."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infra.engine.deploy.contract import Program
from infra.engine.deploy.errors import DeploymentError
from infra.engine.project.errors import ProjectError
from infra.engine.project.home import Home
from infra.engine.project.workspace import read_yaml
from infra.engine.protocol.program.python import Interpreter
from infra.engine.providers.contract import ProviderError

_HOST: Final = "pulumi.run.plugin"
"""The SDK's module that serves the components of a package."""


def plugin(name: str, version: str) -> Path | None:
    """The program that serves package ``name``: the version asked for, else the newest at hand.

    None if there is none.
    """
    program = f"pulumi-resource-{name}"
    folder = Home(os.environ).folder / "plugins"
    candidates: dict[tuple[int, ...], Path] = {}
    for entry in folder.glob(f"resource-{name}-v*"):
        found = entry / program
        if os.access(found, os.X_OK):
            candidates[_number(entry.name.removeprefix(f"resource-{name}-v"))] = found
    if version and (exact := candidates.get(_number(version))) is not None:
        return exact
    if on_path := shutil.which(program):
        return Path(on_path)
    if version:
        wanted = _number(version)
        candidates = {number: path for number, path in candidates.items() if number >= wanted}
    return candidates[max(candidates)] if candidates else None


def in_folder(package: str, folder: Path) -> tuple[list[str], Mapping[str, str]]:
    """The command, and its environment, that starts the provider of ``package`` in a folder.

    That is pulumi-resource-PACKAGE or, as PulumiPlugin.yaml says, Python: a ``__main__.py``, or a package
    whose components are served. Raises ProviderError.
    """
    program = folder / f"pulumi-resource-{package}"
    if os.access(program, os.X_OK):
        return [str(program)], os.environ
    try:
        runtime, options = _runtime(package, folder)
        if runtime != "python":
            raise ProviderError(
                f"the provider in {folder} is written in {runtime or 'nothing that it names'}, and the"
                f" embedded engine runs Python alone: build it, and put pulumi-resource-{package} there"
            )
        interpreter = Interpreter.of(Program(project=package, root=folder, options=options))
    except (ProjectError, DeploymentError) as error:
        raise ProviderError(str(error)) from error
    script = [str(folder)] if (folder / "__main__.py").exists() else ["-m", _HOST, _distribution(folder)]
    return [*interpreter.command, "-u", *script], interpreter.environment


def _runtime(package: str, folder: Path) -> tuple[str, Mapping[str, Any]]:
    """What PulumiPlugin.yaml says that the provider is written in, and its options."""
    description = folder / "PulumiPlugin.yaml"
    if not description.is_file():
        raise ProviderError(
            f"the provider of package {package} should be in {folder}, as Pulumi.yaml says, but there is"
            f" neither pulumi-resource-{package} nor PulumiPlugin.yaml in it"
        )
    document = read_yaml(description)
    runtime = document.get("runtime") if isinstance(document, dict) else None
    if isinstance(runtime, dict):
        return str(runtime.get("name") or ""), runtime.get("options") or {}
    return str(runtime or ""), {}


def _distribution(folder: Path) -> str:
    """The name of the Python package in a folder. Raises ProviderError for a folder with none."""
    try:
        return str(tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["name"])
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ProviderError(
            f"plugin in {folder} is not runnable, it provides neither __main__.py nor a pyproject.toml with a"
            " project.name"
        ) from error


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
