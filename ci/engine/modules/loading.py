"""Makes a module of its source: asks its code which types it has, once for each content of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.modules.client import Client
from ci.engine.modules.generated import bindings
from ci.engine.modules.module import Module
from ci.engine.modules.running import calling, process, record, runtime
from ci.engine.modules.running.process import FunctionCall
from ci.engine.modules.running.views import view
from ci.engine.modules.types import naming
from ci.engine.store.tree import Lost

if TYPE_CHECKING:
    from ci.engine.api.registry import Call
    from ci.engine.modules.source import ModuleSource

#: What a module of a ready-made runtime may say its SDK is.
_PYTHON = ("python", "github.com/dagger/dagger/sdk/python")


async def load(call: Call, source: ModuleSource) -> Module:
    """The module of a source, ready to be called.

    Raises:
        EngineError: there is no such module, its SDK is not served, or its code can't be run.
    """
    check(source)
    key = ("module", source.digest)
    return await call.session.works.evaluator.once.get(key, lambda: _load(call, source))


def check(source: ModuleSource) -> None:
    """EngineError if a source is not one of a Python module."""
    if not source.config_exists:
        place = source.place or "the directory"
        raise EngineError(
            f'module source "{source.reference}" does not exist: there is no dagger.json there, or above it '
            f"in {place}; make one with `dagger init --sdk=python`"
        )
    if not source.config.name:
        raise EngineError(f'{source.root}/dagger.json: the module has no name; give it one as "name"')
    if not source.config.sdk:
        raise EngineError(
            f'module "{source.module_name}" has no SDK, and so no functions: '
            "`dagger develop --sdk=python` gives it one"
        )
    check_sdk(source)


def check_sdk(source: ModuleSource) -> None:
    """EngineError if a source is written for an SDK that is not Python's."""
    if source.config.sdk.partition("@")[0] not in _PYTHON:
        raise EngineError(
            f'module "{source.module_name}" is written for SDK "{source.config.sdk}", and the embedded '
            "engine runs Python modules alone: run it on Dagger's own engine"
        )


async def _load(call: Call, source: ModuleSource) -> Module:
    dependencies = [await load(call, each) for each in source.dependencies]
    prepared = await runtime.prepare(call, source, bindings.text(tuple(dependencies)))
    bare = Module(
        name=source.module_name,
        original=source.config.name,
        dependencies=tuple(dependencies),
        source=source,
        runtime=prepared,
        key=fingerprint("module-1", source.content, prepared),
    )
    described = await _known(call, bare)
    core = frozenset(call.session.source.schema.possible)
    module = naming.named(described, source.module_name, source.config.name, core)
    itself = None
    if source.module_name != source.config.name:
        itself = naming.named(described, source.config.name, source.config.name, core)
    module = replace(
        module, dependencies=bare.dependencies, source=source, runtime=prepared, key=bare.key, itself=itself
    )
    call.session.universe.add(module)
    return module


async def _known(call: Call, bare: Module) -> Module:
    """A module as its code describes it, or did so in an earlier session."""
    works = call.session.works
    key = fingerprint("described-1", bare.key)
    kept = works.store.index.fact("module", key)
    if kept is not None:
        try:
            known: Module = record.read(kept, works.store)
        except (Lost, ValueError):
            works.store.index.forget("module", key)
        else:
            return known
    described = await _described(call, bare)
    works.store.index.record("module", key, record.written(described))
    return described


async def _described(call: Call, bare: Module) -> Module:
    """A module as its own code describes it."""
    assert bare.runtime is not None  # noqa: S101  # it has just been prepared
    function = FunctionCall()
    client = Client(served={each.name: each for each in bare.dependencies}, module=bare, function=function)
    api = view(call.session, bare.dependencies, None, calling.answers)
    title = f"load module {bare.name}"
    result = await process.run(call, bare.runtime.container, title, client, api)
    found = call.session.ids.load(calling.decoded(result))
    if not isinstance(found.value, Module):
        raise EngineError(f'module "{bare.name}" described a {found.type}, not a module')
    return found.value
