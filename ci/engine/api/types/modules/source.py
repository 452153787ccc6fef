"""``ModuleSource``: where a module is, what its dagger.json says, and changes to that."""

from __future__ import annotations

import posixpath

from ci.engine.api.registry import Call, refuse, serves, serves_attributes
from ci.engine.api.types.common import works
from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory
from ci.engine.modules import loading, source
from ci.engine.modules.module import Module
from ci.engine.modules.source import ModuleSource

_GIT = "it is about modules in Git repositories, which the embedded engine does not fetch"
refuse("ModuleSource", "clone_ref", "commit", "html_url", "html_repo_url", "pin", "version", because=_GIT)
refuse("ModuleSource", "repo_root_path", because=_GIT)
serves_attributes("ModuleSource", "kind", "config_exists", "module_name", "original_subpath", "dependencies")
serves_attributes("ModuleSource", source_root_subpath="root", context_directory="context")


@serves("Query")
async def module_source(
    call: Call,
    _parent: object,
    *,
    ref_string: str,
    ref_pin: str = "",
    disable_find_up: bool = False,
    allow_not_exists: bool = False,
    require_kind: str | None = None,
) -> ModuleSource:
    """The source of a module, by a path on the host."""
    del ref_pin
    if source.remote(ref_string) or require_kind == "GIT_SOURCE":
        raise source.refused(ref_string)
    found = await source.local(
        works(call),
        call.session.workdir,
        ref_string,
        find_up=not disable_find_up,
        may_lack=allow_not_exists,
    )
    if require_kind not in {None, found.kind}:
        raise EngineError(f'module source "{ref_string}" kind must be "directory", got "local"')
    return found


@serves("Directory")
async def as_module_source(call: Call, parent: Directory, *, source_root_path: str = ".") -> ModuleSource:
    """The source of a module in a directory."""
    return await source.of_directory(works(call), parent, source_root_path)


@serves("Directory", field="as_module")
async def directory_as_module(call: Call, parent: Directory, *, source_root_path: str = ".") -> Module:
    """The module in a directory, ready to be called."""
    return await loading.load(call, await as_module_source(call, parent, source_root_path=source_root_path))


@serves("ModuleSource")
async def as_module(call: Call, parent: ModuleSource) -> Module:
    """The module, ready to be called."""
    return await loading.load(call, parent)


@serves("ModuleSource")
def sync(_call: Call, parent: ModuleSource) -> ModuleSource:
    """Have the source read."""
    return parent


@serves("ModuleSource")
def as_string(_call: Call, parent: ModuleSource) -> str:
    """As a reference to it is written."""
    return posixpath.join(parent.place, parent.root) if parent.place else parent.root


@serves("ModuleSource")
def module_original_name(_call: Call, parent: ModuleSource) -> str:
    """What the module calls itself."""
    return parent.config.name


@serves("ModuleSource")
def engine_version(_call: Call, parent: ModuleSource) -> str:
    """The engine that it was written for."""
    return parent.config.engine_version


@serves("ModuleSource")
def source_subpath(_call: Call, parent: ModuleSource) -> str:
    """Where its code is in the context."""
    return parent.subpath if parent.config.sdk else ""


@serves("ModuleSource")
def local_context_directory_path(_call: Call, parent: ModuleSource) -> str:
    """Where the context is on the host."""
    if parent.kind != source.LOCAL:
        raise EngineError("module source is not local")
    return parent.place


@serves("ModuleSource", field="directory")
def source_directory(_call: Call, parent: ModuleSource, *, path: str) -> Directory:
    """A directory beside the module's code."""
    inner = posixpath.normpath(posixpath.join("/", parent.context.path, parent.subpath, path))
    return Directory(parent.context.files, inner)


@serves("ModuleSource", field="digest")
def source_digest(_call: Call, parent: ModuleSource) -> str:
    """Names the content of the module's source."""
    return f"sha256:{parent.content}"


@serves("ModuleSource")
def sdk(_call: Call, parent: ModuleSource) -> ModuleSource | None:
    """What its code is written for."""
    return parent if parent.config.sdk else None


@serves("SDKConfig", field="source")
def sdk_source(_call: Call, parent: ModuleSource) -> str:
    """The SDK, by its short name or a reference to it."""
    return parent.config.sdk


@serves("SDKConfig", field="debug")
def sdk_debug(_call: Call, parent: ModuleSource) -> bool:
    """Whether its runtime is to be looked into."""
    return parent.config.sdk_debug
