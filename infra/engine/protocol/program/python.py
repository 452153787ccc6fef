"""The Python that a program runs in, chosen as Pulumi's language host does (sdk/python/toolchain)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.engine.deploy.contract import Program
from infra.engine.deploy.errors import DeploymentError

_TOOLCHAINS = ("pip", "uv", "poetry")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A command that starts Python, and the environment to start it in."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    def of(cls, program: Program) -> Interpreter:
        """The interpreter for ``program``.

        Raises DeploymentError for an environment that isn't there, or an option that is none.
        """
        environment = {**os.environ, **program.environment}
        virtualenv = _virtualenv(program)
        if virtualenv is None:
            return cls((_plain(environment),), environment)
        python = virtualenv / "bin" / "python"
        if not python.exists():
            raise DeploymentError(_no_virtualenv(program, virtualenv))
        environment.pop("PYTHONHOME", None)
        environment["PATH"] = os.pathsep.join([str(virtualenv / "bin"), environment.get("PATH", "")])
        environment["VIRTUAL_ENV"] = str(virtualenv)
        return cls((str(python),), environment)


def _option(program: Program, name: str) -> str:
    value = program.options.get(name)
    if value is not None and not isinstance(value, str):
        raise DeploymentError(f"{name} option must be a string")
    return value or ""


def _virtualenv(program: Program) -> Path | None:
    """The virtual environment that Pulumi.yaml asks for, or that its tool would use."""
    toolchain, given = _option(program, "toolchain"), _option(program, "virtualenv")
    if toolchain and toolchain not in _TOOLCHAINS:
        raise DeploymentError(f"unsupported toolchain option: {toolchain}")
    if given:
        return program.root / given
    folder = program.root / program.main if program.main else program.root
    if toolchain == "uv" or (not toolchain and (folder / "uv.lock").exists()):
        named = os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")
        above = next((each for each in (folder, *folder.parents) if (each / "uv.lock").exists()), folder)
        return above / named
    if toolchain == "poetry" or (not toolchain and (folder / "poetry.lock").exists()):
        return _poetry(folder)
    return None


def _poetry(folder: Path) -> Path:
    try:
        answer = subprocess.run(
            ["poetry", "env", "info", "--path"], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise DeploymentError(
            "Could not find the environment of `poetry`; install poetry and run `poetry install`"
        ) from error
    return Path(answer.stdout.strip())


def _plain(environment: Mapping[str, str]) -> str:
    """No environment is asked for.

    PULUMI_PYTHON_CMD, an activated one's, or the one that this engine runs in.
    """
    if command := environment.get("PULUMI_PYTHON_CMD"):
        return command
    if environment.get("VIRTUAL_ENV"):
        return shutil.which("python3", path=environment.get("PATH")) or sys.executable
    return sys.executable


def _no_virtualenv(program: Program, path: Path) -> str:
    what = "doesn't appear to be a virtual environment" if path.exists() else "doesn't exist"
    return (
        "The 'virtualenv' option in Pulumi.yaml is set to "
        f'"{_option(program, "virtualenv") or path.name}", '
        f'but "{path}" {what}; run the following commands to create the virtual environment and install '
        "dependencies into it:\n\n"
        f"    1. python3 -m venv {path}\n"
        f"    2. {path}/bin/python -m pip install --upgrade pip setuptools wheel\n"
        f"    3. {path}/bin/python -m pip install -r requirements.txt\n\n\n"
        "For more information see: https://www.pulumi.com/docs/intro/languages/python/#virtual-environments"
    )
