"""What an argument is where it is not given: something around the module, or an image."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from ci.engine.api.types import git
from ci.engine.api.types.container.image import from_
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.graph.files import File
from ci.engine.graph.host.git import Repository
from ci.engine.modules.module import Module
from ci.engine.modules.source import ModuleSource, context_directory
from ci.engine.modules.types.typedefs import Argument
from ci.engine.platform import host_platform

if TYPE_CHECKING:
    from ci.engine.api.registry import Call


async def id_of(call: Call, module: Module, argument: Argument) -> str | None:
    """The ID of what an argument is by default; None where there is no repository, which nobody has to have.

    Raises:
        EngineError: it is not there.
    """
    named = argument.type.named
    kind = named.name if named is not None else ""
    source = module.source
    assert source is not None  # noqa: S101  # a module that is called was loaded from one
    try:
        found = await _found(call, source, kind, argument)
    except EngineError as error:
        raise EngineError(f'load contextual arg "{argument.name}": {error.message}') from error
    return None if found is None else call.session.ids.of(kind, found)


async def _found(call: Call, source: ModuleSource, kind: str, argument: Argument) -> Any:
    works, path = call.session.works, argument.default_path
    if argument.default_address:
        return await from_(call, Container(host_platform()), address=argument.default_address)
    if kind == "Directory":
        return await context_directory(works, source, path, argument.ignore)
    if kind == "File":
        folder, name = posixpath.split(path)
        held = await context_directory(works, source, folder or ".", ())
        return File(held.files, posixpath.join(held.path, name))
    repository = await _repository(call, source, path)
    if repository is None or kind == "GitRepository":
        return repository
    return await git.head(call, repository)


async def _repository(call: Call, source: ModuleSource, path: str) -> Repository | None:
    """The repository around a module, or the one at a URL."""
    if posixpath.normpath(path.strip("/") or ".") not in {".", ".git"}:
        return await git.git(call, None, url=path)
    top = await context_directory(call.session.works, source, "/", ())
    inside = await call.session.works.evaluator.evaluate(top.files)
    listing = call.session.works.store.trees.load(inside.tree)
    return git.as_git(call, top) if ".git" in listing else None
