"""``currentTypeDefs``: all types that a client can use, Dagger's own and those of modules."""

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, serves
from ci.engine.modules.types import coretypes
from ci.engine.modules.types.closure import closure
from ci.engine.modules.types.entrypoint import promoted
from ci.engine.modules.types.typedefs import Function, Object, TypeDef


@serves("Query")
async def current_type_defs(
    call: Call, _parent: object, *, return_all_types: bool = False, hide_core: bool | None = None
) -> list[TypeDef]:
    """The types; ``hideCore`` leaves the functions of ``Query`` that are Dagger's own out.

    ``returnAllTypes``: also those that have no definition of their own, such as lists, for clients that look
    up by its name whatever a type refers to.
    """
    session = call.session

    async def core() -> list[TypeDef]:
        source = session.source
        return list(coretypes.typedefs(source.schema, source.introspection))

    known = await session.works.evaluator.once.get("core types", core)
    modules, entrypoint = tuple(call.client.served.values()), call.client.promoted
    own = [t for module in modules for t in module.types]
    entered = (module.entry for module in modules if module is not entrypoint)
    entries = [*(entry for entry in entered if entry is not None), *promoted(entrypoint)]
    types = [*(_entered(each, entries, hide_core=bool(hide_core)) for each in known), *own]
    if not return_all_types:
        return types
    key = ("all types", hide_core, tuple(m.digest for m in modules), entrypoint and entrypoint.digest)

    async def everything() -> list[TypeDef]:
        return await session.works.evaluator.in_thread(closure, types)

    return await session.works.evaluator.once.get(key, everything)


def _entered(type_: TypeDef, entries: list[Function], *, hide_core: bool) -> TypeDef:
    """``Query`` with the functions by which modules are called; any other type as it is."""
    if not (isinstance(type_.named, Object) and type_.named.name == "Query"):
        return type_
    functions = {each.name: each for each in (() if hide_core else type_.named.functions)}
    functions |= {each.name: each for each in entries}
    return replace(type_, named=replace(type_.named, functions=tuple(functions.values())))
