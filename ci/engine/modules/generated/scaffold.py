"""What ``dagger init`` and ``dagger develop`` write: dagger.json, a first module, and the SDK for editors."""

from __future__ import annotations

import json
import posixpath
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from ci.engine.api.source import generated_client
from ci.engine.modules.config import FILENAME
from ci.engine.modules.generated import bindings
from ci.engine.modules.module import Module
from ci.engine.modules.running.project import Project
from ci.engine.modules.running.sdk import NAME
from ci.engine.modules.source import ModuleSource
from ci.engine.modules.types import names

VENDORED = "sdk"

_PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">={python}"
dependencies = ["dagger-io"]

[build-system]
requires = ["uv_build>=0.8.4,<1"]
build-backend = "uv_build"

[tool.uv.sources]
dagger-io = {{ path = "sdk", editable = true }}
"""

_INIT = '''\
"""Functions of the {name} module.

Two to begin with: change them, remove them, add your own. `dagger functions` lists them, and
`dagger call container-echo --string-arg=hello stdout` calls one.
"""

from .main import {main} as {main}
'''

_MAIN = '''\
import dagger
from dagger import dag, function, object_type


@object_type
class {main}:
    @function
    def container_echo(self, string_arg: str) -> dagger.Container:
        """Returns a container that prints a string"""
        return dag.container().from_("alpine:latest").with_exec(["echo", string_arg])

    @function
    async def grep_dir(self, directory_arg: dagger.Directory, pattern: str) -> str:
        """Returns the lines in a directory's files that match a pattern"""
        return await (
            dag.container()
            .from_("alpine:latest")
            .with_mounted_directory("/mnt", directory_arg)
            .with_workdir("/mnt")
            .with_exec(["grep", "-R", pattern, "."])
            .stdout()
        )
'''

_SDK_PROJECT = """\
[project]
name = "dagger-io"
version = "{version}"
requires-python = ">=3.10"
dependencies = {dependencies}

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = {packages}
"""

_ATTRIBUTES = "/sdk/** linguist-generated\n"
_IGNORED = ("/.venv", "/**/__pycache__", "/sdk")


@dataclass(frozen=True)
class Found:
    """What is beside a module's code already: whether there is any Python, and the text of a few files."""

    python: bool
    pyproject: str | None
    attributes: str | None
    ignored: str | None


def files(source: ModuleSource, found: Found, dependencies: tuple[Module, ...]) -> dict[str, str]:
    """The text of each file that is written, by its path in the module's context."""
    written = {posixpath.join(source.root, FILENAME): source.config.text()}
    if not source.config.sdk:
        return {posixpath.normpath(path): content for path, content in written.items()}
    module = source.config.name
    project = Project.parse(found.pyproject or "", module, "pyproject.toml")
    package = names.package(names.project(project.name))
    main = names.camel(module)
    code: dict[str, str] = {}
    if found.pyproject is None:
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        code["pyproject.toml"] = _PYPROJECT.format(name=names.project(module), python=python)
        if not found.python:
            code[f"src/{package}/__init__.py"] = _INIT.format(name=module, main=main)
            code[f"src/{package}/main.py"] = _MAIN.format(main=main)
    if _ATTRIBUTES.strip() not in (found.attributes or ""):
        code[".gitattributes"] = (found.attributes or "") + _ATTRIBUTES
    missing = [line for line in _IGNORED if line not in (found.ignored or "").splitlines()]
    if missing:
        code[".gitignore"] = (found.ignored or "") + "".join(f"{line}\n" for line in missing)
    code |= {f"{VENDORED}/{path}": content for path, content in _sdk(dependencies).items()}
    written |= {posixpath.join(source.subpath, path): content for path, content in code.items()}
    return {posixpath.normpath(path): content for path, content in written.items()}


def _sdk(dependencies: tuple[Module, ...]) -> dict[str, str]:
    """The SDK's own package as a project beside the module: what an editor and ``uv sync`` find it by."""
    installed = distribution(NAME)
    more = ["src/dagger_gen.py", f"src/{bindings.CORE}.py"] if dependencies else []
    found = {
        "pyproject.toml": _SDK_PROJECT.format(
            version=installed.version,
            dependencies=json.dumps(
                [each for each in installed.requires or () if "extra ==" not in each], indent=4
            ),
            packages=json.dumps(["src/dagger", *more]),
        )
    }
    if dependencies:
        client = generated_client().read_text(encoding="utf-8")
        texts = (bindings.text(dependencies), bindings.core(client))
        found |= dict(zip(more, texts, strict=True))
    for path in installed.files or ():
        if path.parts[0] == "dagger" and path.suffix in {".py", ".typed"}:
            found[f"src/{path.as_posix()}"] = Path(str(path.locate())).read_text(encoding="utf-8")
    return found
