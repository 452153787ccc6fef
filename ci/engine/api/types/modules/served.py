"""``currentTypeDefs``: all types that a client can use, Dagger's own and those of modules."""

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, serves
from ci.engine.modules.types import coretypes
from ci.engine.modules.types.typedefs import Function, Object, TypeDef


@serves("Query")
async def current_type_defs(
    call: Call, _parent: object, *, return_all_types: bool = False, hide_core: bool | None = None
) -> list[TypeDef]:
    """The types; ``hideCore`` leaves the functions of ``Query`` that are Dagger's own out."""
    del return_all_types  # the types that others refer to are among them
    session = call.session

    async def core() -> list[TypeDef]:
        source = session.source
        return list(coretypes.typedefs(source.schema, source.introspection))

    known = await session.works.evaluator.once.get("core types", core)
    modules = tuple(call.client.served.values())
    own = [t for module in modules for t in (*module.objects, *module.interfaces, *module.enums)]
    entries = [entry for module in modules if (entry := coretypes.entry(module)) is not None]
    promoted = call.client.promoted
    if promoted is not None and promoted.main is not None:
        entries += promoted.main.functions
    return [*(_entered(each, entries, hide_core=bool(hide_core)) for each in known), *own]


def _entered(type_: TypeDef, entries: list[Function], *, hide_core: bool) -> TypeDef:
    """``Query`` with the functions by which modules are called; any other type as it is."""
    if not (isinstance(type_.named, Object) and type_.named.name == "Query"):
        return type_
    known = {each.name for each in type_.named.functions}
    more = tuple(each for each in entries if each.name not in known)
    functions = (*(() if hide_core else type_.named.functions), *more)
    return replace(type_, named=replace(type_.named, functions=functions))
