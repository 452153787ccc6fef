"""All types that some types refer to, one for each name: ``currentTypeDefs(returnAllTypes: true)``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ci.engine.modules.types.typedefs import Enum, Function, Input, Interface, Object, TypeDef


def closure(types: Iterable[TypeDef]) -> list[TypeDef]:
    """The types and those they refer to, lists and GraphQL's own among them, each as it is defined."""
    found: dict[str, TypeDef] = {}
    ahead = deque(types)
    while ahead:
        type_ = replace(ahead.popleft(), optional=False)
        known = found.get(type_.name)
        if known is not None and not (_only_referred_to(known) and not _only_referred_to(type_)):
            continue
        found[type_.name] = type_
        ahead.extend(_referred_to_by(type_))
    return list(found.values())


def _only_referred_to(type_: TypeDef) -> bool:
    """Whether nothing is known of a type but its name."""
    match type_.named:
        case Object() as each:
            return not (each.fields or each.functions or each.constructor)
        case Interface() as each:
            return not each.functions
        case Input() as each:
            return not each.fields
        case Enum() as each:
            return not each.members
    return False


def _referred_to_by(type_: TypeDef) -> Iterator[TypeDef]:
    if type_.element is not None:
        yield type_.element
    functions: tuple[Function, ...] = ()
    match type_.named:
        case Object() as each:
            yield from (field.type for field in each.fields)
            functions = (*each.functions, *((each.constructor,) if each.constructor else ()))
        case Interface() as each:
            functions = each.functions
        case Input() as each:
            yield from (field.type for field in each.fields)
    for function in functions:
        yield function.returns
        yield from (argument.type for argument in function.arguments)
