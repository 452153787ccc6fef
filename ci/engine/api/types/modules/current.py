"""What a module's code asks about itself: which function it is to run, and which module it is."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from ci.engine.api.registry import Call, refuse, serves, serves_attributes
from ci.engine.api.types.error import Error
from ci.engine.api.types.modules.editing import generated_context_directory
from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory
from ci.engine.graph.fingerprint import Digested
from ci.engine.modules.module import Module
from ci.engine.modules.running.process import FunctionCall


@dataclass(frozen=True)
class CurrentModule(Digested):
    """The module whose code asks."""

    module: Module


@dataclass(frozen=True)
class ArgumentValue(Digested):
    """An argument of the current function call; the value is JSON."""

    name: str
    value: str


serves_attributes("FunctionCall", "name", "parent_name", "parent")
serves_attributes("FunctionCallArgValue", "name", "value")
refuse("CurrentModule", "workdir", "workdir_file", because="a function's files are read by its own code")
refuse("CurrentModule", "generators", because="generators are run by Dagger's own engine")


@serves("Query")
def current_function_call(call: Call, _parent: object) -> FunctionCall:
    """What the module's code is to do."""
    if call.client.function is None:
        raise EngineError("no current module")
    return call.client.function


@serves("FunctionCall")
def input_args(_call: Call, parent: FunctionCall) -> list[ArgumentValue]:
    """The arguments of the call."""
    return [ArgumentValue(name, value) for name, value in parent.arguments]


@serves("FunctionCall")
def return_value(_call: Call, parent: FunctionCall, *, value: str) -> None:
    """Say what came of the call."""
    parent.result = value


@serves("FunctionCall")
def return_error(_call: Call, parent: FunctionCall, *, error: Error) -> None:
    """Say that the call failed."""
    parent.error = error


@serves("Query")
def current_module(call: Call, _parent: object) -> CurrentModule:
    """The module whose code asks."""
    if call.client.module is None:
        raise EngineError("no current module")
    return CurrentModule(call.client.module)


@serves("CurrentModule", field="name")
def current_name(_call: Call, parent: CurrentModule) -> str:
    """What the module is called."""
    return parent.module.name


@serves("CurrentModule", field="source")
def current_source(_call: Call, parent: CurrentModule) -> Directory:
    """The module's code."""
    source = parent.module.source
    assert source is not None  # noqa: S101  # code runs of loaded modules alone
    path = posixpath.normpath(posixpath.join("/", source.context.path, source.subpath))
    return Directory(source.context.files, path)


@serves("CurrentModule", field="dependencies")
def current_dependencies(_call: Call, parent: CurrentModule) -> tuple[Module, ...]:
    """The modules that it may call."""
    return parent.module.dependencies


@serves("CurrentModule", field="generated_context_directory")
async def current_generated(call: Call, parent: CurrentModule) -> Directory:
    """The files that are generated for the module."""
    assert parent.module.source is not None  # noqa: S101  # code runs of loaded modules alone
    return await generated_context_directory(call, parent.module.source)
