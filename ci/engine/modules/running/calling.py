"""Calls functions of modules: their arguments, what is used where one is not given, and their results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ci.engine.api.types.directory import empty_directory
from ci.engine.api.types.directory_files import with_directory
from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.modules.client import Client
from ci.engine.modules.module import Module, ModuleObject
from ci.engine.modules.running import around, process, results, values
from ci.engine.modules.running.process import FunctionCall
from ci.engine.modules.running.views import view
from ci.engine.modules.schema.extended import ABSENT
from ci.engine.modules.types.typedefs import LONGEST_TTL, Argument, Function, Interface, Object

if TYPE_CHECKING:
    from ci.engine.api.registry import Call
    from ci.engine.api.schema import Resolve


def decoded(text: str) -> Any:
    """What an SDK gave as JSON; EngineError if it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise EngineError(f"the module's SDK gave a result that is no JSON: {error}") from error


def answers(module: Module, type_: Object | Interface | None, name: str) -> Resolve:
    """What answers a field of a module's type; without a type, that of ``Query`` for its main object."""
    if type_ is None:
        return _constructor(module)
    if isinstance(type_, Interface):
        return _unreachable
    for field in type_.fields:
        if field.name == name:

            def read(call: Call, parent: ModuleObject, *, _field: Any = field) -> Any:
                value = parent.fields.get(_field.original)
                return values.from_sdk(call.session.ids, parent.module, _field.type, value)

            return read
    function = type_.named_functions()[name]

    async def resolve(call: Call, parent: ModuleObject, **given: Any) -> Any:
        return await called(call, parent.module, parent.type, function, given, parent=parent)

    return resolve


def _unreachable(_call: Call, _parent: Any, **_given: Any) -> Any:
    raise AssertionError("an interface's field is resolved as that of an object")


def _constructor(module: Module) -> Resolve:
    main = module.main
    assert main is not None  # noqa: S101  # a module without one is not loaded
    function = main.constructor

    async def resolve(call: Call, _parent: object, **given: Any) -> Any:
        if function is None:
            return ModuleObject.of(module, main, {})
        return await called(call, module, main, function, given)

    return resolve


async def called(
    call: Call,
    module: Module,
    object_: Object,
    function: Function,
    given: Mapping[str, Any],
    *,
    parent: ModuleObject | None = None,
) -> Any:
    """The result of a function, for GraphQL; ``parent`` is the object that it is of, None for a constructor.

    Raises:
        FunctionFailed: the module's code said that it failed.
        EngineError: an argument can't be had, or the code can't be run.
    """
    arguments = await _arguments(call, module, function, given)
    state = parent.state if parent is not None else "null"
    wanted = FunctionCall(function.original, object_.original, state, tuple(arguments.items()))
    key = fingerprint("function-1", module.key, object_.original, function.original, state, arguments)

    lasting = function.cache_policy == "Default" and module.caches

    async def run() -> str:
        return await _run(call, module, object_, wanted)

    async def run_or_recall() -> str:
        session, ttl = call.session, function.ttl or LONGEST_TTL
        in_thread = session.works.evaluator.in_thread
        known = await in_thread(results.recall, session, key, ttl) if lasting else None
        if known is not None:
            _tell(call, object_, wanted)
            return known
        result = await run()
        if lasting:
            await in_thread(results.keep, session, key, result)
        return result

    if function.cache_policy == "Never":
        result = await run()
    else:
        result = await call.session.works.evaluator.once.get(("function", key), run_or_recall)
    return values.from_sdk(call.session.ids, module, function.returns, decoded(result))


def _tell(call: Call, object_: Object, wanted: FunctionCall) -> None:
    """Let those who watch know of a call whose result was kept."""
    with call.session.works.evaluator.events.step(title(object_, wanted)) as shown:
        shown.cached = True


def title(object_: Object, wanted: FunctionCall) -> str:
    """A call as people read it."""
    return f"{object_.name}.{wanted.name}" if wanted.name else object_.name


async def _run(call: Call, module: Module, object_: Object, wanted: FunctionCall) -> str:
    assert module.runtime is not None  # noqa: S101  # it was loaded with one
    client = Client(served={each.name: each for each in module.dependencies}, module=module, function=wanted)
    api = view(call.session, module.dependencies, module.itself or module, answers)
    return await process.run(call, module.runtime.container, title(object_, wanted), client, api)


async def _arguments(
    call: Call, module: Module, function: Function, given: Mapping[str, Any]
) -> dict[str, str]:
    """Each argument that the code is to have, in JSON, by the name that its author gave it."""
    found = {}
    for argument in function.arguments:
        value = given.get(argument.name, ABSENT)
        if value is not ABSENT and value is not None:
            ready = values.to_sdk(call.session.ids, module, argument.type, value)
            if argument.ignore:
                ready = _ignoring(call, argument, ready)
            found[argument.original] = json.dumps(ready)
        elif argument.default is not None:
            found[argument.original] = argument.default
        elif argument.contextual and (id_ := await around.id_of(call, module, argument)) is not None:
            found[argument.original] = json.dumps(id_)
    return found


def _ignoring(call: Call, argument: Argument, id_: str) -> str:
    """The ID of a directory without what its argument ignores."""
    ids = call.session.ids
    whole: Directory = ids.load(id_).value
    kept = with_directory(
        call, empty_directory(call, None), path="/", source=whole, exclude=list(argument.ignore)
    )
    return ids.of("Directory", kept)
