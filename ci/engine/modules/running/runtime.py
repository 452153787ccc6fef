"""The container that a module's code runs in: Python, the SDK, what the module requires, and the module."""

from __future__ import annotations

import posixpath
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.engine.api.source import generated_client
from ci.engine.api.types.common import works
from ci.engine.api.types.container.config import with_env_variable, with_workdir
from ci.engine.api.types.container.files import (
    with_directory,
    with_mounted_cache,
    with_mounted_directory,
    with_new_file,
)
from ci.engine.api.types.container.image import from_
from ci.engine.api.types.container.run import with_exec
from ci.engine.graph.container import DEFAULT_PATH, Container
from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.graph.volume import CacheVolume
from ci.engine.modules.generated import bindings
from ci.engine.modules.running import sdk
from ci.engine.modules.running.project import Project
from ci.engine.modules.source import ModuleSource, text_beside
from ci.engine.modules.types import names
from ci.engine.platform import host_platform

if TYPE_CHECKING:
    from ci.engine.api.registry import Call

_HOME = "/opt/dagger"
_SDK, _BINDINGS, _REQUIRED, _MODULE, _BYTECODE = (
    f"{_HOME}/{name}" for name in ("sdk", "bindings", "required", "module", "bytecode")
)
_SOURCE = "/src"


@dataclass(frozen=True)
class Runtime(Digested):
    """A module's container, ready to run the SDK's entry point in."""

    container: Container


async def prepare(call: Call, source: ModuleSource, client: str) -> Runtime:
    """The container of a Python module; ``client`` is the text of its ``dagger_gen.py``.

    Raises:
        EngineError: a part of it can't be had.
    """
    module = source.config.name
    parts = works(call)
    configured = await text_beside(parts, source, "pyproject.toml") or ""
    project = Project.parse(configured, module, f"{source.subpath}/pyproject.toml")
    kit = await parts.evaluator.in_thread(sdk.installed, parts.store)
    container = await _python(call, project)
    container = await _with_sdk(call, container, project, kit)
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
    path = ":".join((f"{code}/src", code, _MODULE, _BINDINGS, _REQUIRED, _SDK))
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
    own = ".".join(str(part) for part in sys.version_info[:2])
    if not project.base_image and not project.runs_on(own):
        with call.session.works.evaluator.events.step(f"python {own} for {project.name}") as shown:
            said = (
                f"{project.name} asks for Python {project.requires_python}, and runs on {own}, which the SDK "
                'is installed for here; "base-image" in [tool.dagger] of its pyproject.toml names another\n'
            )
            shown.write("stderr", said.encode())
    image = project.base_image or f"python:{own}-slim"
    return await from_(call, Container(host_platform()), address=image)


async def _with_sdk(call: Call, container: Container, project: Project, kit: sdk.Sdk) -> Container:
    if project.base_image:  # of whatever Python: what is compiled for the engine's is of no use there
        pinned = f"{sdk.NAME}=={kit.versions[sdk.NAME]}"
        pip = ["python", "-m", "pip", "install", "-q", "--target", _SDK, pinned]
        container = with_exec(call, container, args=pip)
    else:
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
    """With what the module requires beside the SDK; what that needs is of the SDK's versions."""
    missing = project.missing(kit.versions)
    if not missing:
        return container
    named = {sdk.normalized(each.name) for each in missing}
    kept = "".join(f"{name}=={version}\n" for name, version in kit.versions.items() if name not in named)
    constraints = f"{_REQUIRED}-constraints.txt"
    container = await with_new_file(call, container, path=constraints, contents=kept)
    pip = ["python", "-m", "pip", "install", "-q", "--target", _REQUIRED, "-c", constraints]
    programs = f"{_REQUIRED}/bin:{container.env.get('PATH', DEFAULT_PATH)}"
    installed = with_exec(call, container, args=[*pip, *(str(each) for each in missing)])
    return installed.with_env("PATH", programs)
