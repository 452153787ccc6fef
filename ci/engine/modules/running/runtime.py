"""The container that a module's code runs in: Python, the SDK, what the module requires, and the module."""

from __future__ import annotations

import posixpath
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ci.engine.api.source import generated_client
from ci.engine.api.types.common import works
from ci.engine.api.types.container_config import with_env_variable, with_workdir
from ci.engine.api.types.container_files import (
    with_directory,
    with_mounted_cache,
    with_mounted_directory,
    with_new_file,
)
from ci.engine.api.types.container_image import from_
from ci.engine.api.types.container_run import with_exec
from ci.engine.errors import EngineError
from ci.engine.graph.container import DEFAULT_PATH, Container
from ci.engine.graph.files import Directory
from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.graph.volume import CacheVolume
from ci.engine.modules.generated import bindings
from ci.engine.modules.running import sdk
from ci.engine.modules.types import names
from ci.engine.platform import host_platform
from ci.engine.store import algebra
from ci.engine.store.tree import REGULAR

if TYPE_CHECKING:
    from ci.engine.api.registry import Call
    from ci.engine.modules.source import ModuleSource

_HOME = "/opt/dagger"
_SDK, _BINDINGS, _REQUIRED, _MODULE, _BYTECODE = (
    f"{_HOME}/{name}" for name in ("sdk", "bindings", "required", "module", "bytecode")
)
_SOURCE = "/src"


@dataclass(frozen=True)
class Runtime(Digested):
    """A module's container, ready to run the SDK's entry point in."""

    container: Container


@dataclass(frozen=True)
class Project:
    """What a module's pyproject.toml says that matters to running it."""

    name: str
    requires_python: str
    dependencies: tuple[str, ...]
    entry_point: str
    base_image: str

    @classmethod
    def parse(cls, text: str, module: str, place: str) -> Project:
        """Read a pyproject.toml; one that is missing is empty.

        Raises:
            EngineError: it is no TOML.
        """
        try:
            document: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise EngineError(f"{place}: not a project's configuration: {error}") from error
        project = document.get("project", {})
        return cls(
            name=project.get("name") or names.project(module),
            requires_python=project.get("requires-python", ""),
            dependencies=tuple(project.get("dependencies", ())),
            entry_point=project.get("entry-points", {}).get("dagger.mod", {}).get("main_object", ""),
            base_image=document.get("tool", {}).get("dagger", {}).get("base-image", ""),
        )


async def prepare(call: Call, source: ModuleSource, client: str) -> Runtime:
    """The container of a Python module; ``client`` is the text of its ``dagger_gen.py``.

    Raises:
        EngineError: a part of it can't be had.
    """
    module = source.config.name
    project = Project.parse(
        await _text(call, source, "pyproject.toml"), module, f"{source.subpath}/pyproject.toml"
    )
    parts = works(call)
    kit = await parts.evaluator.in_thread(sdk.installed, parts.store)
    container = await _python(call, project)
    container = await _with_sdk(call, container, kit)
    container = await _with_requirements(call, container, project, kit)
    container = await with_new_file(
        call, container, path=f"{_BINDINGS}/dagger_gen.py", contents=client, permissions=0o644
    )
    if project.entry_point:
        folder = f"{_MODULE}/{names.package(names.project(project.name))}-0.dist-info"
        entry = f"[dagger.mod]\nmain_object = {project.entry_point}\n"
        metadata = f"Metadata-Version: 2.1\nName: {project.name}\nVersion: 0\n"
        for name, text in (("entry_points.txt", entry), ("METADATA", metadata)):
            container = await with_new_file(call, container, path=f"{folder}/{name}", contents=text)
    return Runtime(await _with_module(call, container, source, project))


async def _with_module(call: Call, container: Container, source: ModuleSource, project: Project) -> Container:
    """With the module's source, where Python finds it, and what the SDK asks of the environment."""
    place = f"{_SOURCE}/{fingerprint(source.context)[:16]}"
    code = posixpath.normpath(posixpath.join(place, source.subpath))
    container = await with_mounted_directory(call, container, path=place, source=source.context)
    volume = CacheVolume(f"modules-bytecode-{fingerprint(source.context)}")
    container = await with_mounted_cache(call, container, path=f"{_BYTECODE}{place}", cache=volume)
    path = ":".join((f"{code}/src", code, _MODULE, _BINDINGS, _SDK, _REQUIRED))
    main = names.camel(source.config.name)
    for name, value in (
        ("PYTHONPATH", path),
        ("DAGGER_MODULE", source.config.name),
        ("DAGGER_DEFAULT_PYTHON_PACKAGE", names.package(names.project(project.name))),
        ("DAGGER_MAIN_OBJECT", main),
    ):
        container = with_env_variable(call, container, name=name, value=value)
    return with_workdir(call, container, path=code)


async def _python(call: Call, project: Project) -> Container:
    image = project.base_image or f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim"
    return await from_(call, Container(host_platform()), address=image)


async def _with_sdk(call: Call, container: Container, kit: sdk.Sdk) -> Container:
    container = await with_directory(call, container, path=_SDK, source=kit.packages)
    text = bindings.core(generated_client().read_text(encoding="utf-8"))
    container = await with_new_file(call, container, path=f"{_SDK}/{bindings.CORE}.py", contents=text)
    for name, value in (
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONPYCACHEPREFIX", _BYTECODE),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("PIP_ROOT_USER_ACTION", "ignore"),
    ):
        container = with_env_variable(call, container, name=name, value=value)
    compiling = ["python", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", _SDK]
    return with_exec(call, container, args=compiling)


async def _with_requirements(call: Call, container: Container, project: Project, kit: sdk.Sdk) -> Container:
    from packaging.requirements import InvalidRequirement, Requirement

    missing = []
    for text in project.dependencies:
        try:
            wanted = Requirement(text)
        except InvalidRequirement as error:
            raise EngineError(f"pyproject.toml: {text!r} is no requirement: {error}") from error
        name = sdk.normalized(wanted.name)
        if name == sdk.NAME or (wanted.marker is not None and not wanted.marker.evaluate()):
            continue
        if not (name in kit.versions and wanted.specifier.contains(kit.versions[name], prereleases=True)):
            missing.append(text)
    if not missing:
        return container
    install = ["python", "-m", "pip", "install", "-q", "--target", _REQUIRED, *missing]
    programs = f"{_REQUIRED}/bin:{container.env.get('PATH', DEFAULT_PATH)}"
    return with_exec(call, container, args=install).with_env("PATH", programs)


async def _text(call: Call, source: ModuleSource, name: str) -> str:
    """The text of a file beside a module's code, "" when there is none."""
    parts = works(call)
    directory: Directory = source.context
    snapshot = await parts.evaluator.evaluate(directory.files)
    path = posixpath.normpath(posixpath.join(directory.path, source.subpath, name))
    entry = algebra.lookup(parts.store.trees, snapshot.tree, path if path.startswith("/") else f"/{path}")
    if entry is None or entry.kind != REGULAR:
        return ""
    return (await parts.evaluator.in_thread(parts.store.read, entry.digest)).decode(errors="replace")
