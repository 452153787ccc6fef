"""Values on their way to a module's code and back: what GraphQL has, and what the SDK has in JSON."""

from __future__ import annotations

import json
from typing import Any

from ci.engine.api.ids import Identified, Ids
from ci.engine.errors import EngineError
from ci.engine.modules.module import Module, ModuleObject
from ci.engine.modules.types.kinds import ENUM, INTERFACE, OBJECT, VOID
from ci.engine.modules.types.typedefs import TypeDef


def to_sdk(ids: Ids, module: Module, type_: TypeDef, value: Any) -> Any:
    """An argument as the SDK takes it: objects of the module itself by their state, all others by their ID.

    Raises:
        EngineError: an ID is not one of an object of that type.
    """
    if value is None:
        return None
    if type_.element is not None:
        return [to_sdk(ids, module, type_.element, each) for each in value]
    name = type_.named.name if type_.named is not None else ""
    if type_.kind == OBJECT:
        found = ids.load(value)
        if found.type != name:
            raise EngineError(f'expected "{name}" ID, got {found.type} ID')
        own = isinstance(found.value, ModuleObject) and module.object(name) is not None
        return found.value.fields if own else value
    if type_.kind == INTERFACE:
        ids.load(value)
        return value
    if type_.kind == ENUM and (enum := module.enum(name)) is not None:
        return next(member.original for member in enum.members if member.name == value)
    return value


def from_sdk(ids: Ids, module: Module, type_: TypeDef, value: Any) -> Any:
    """What the SDK gave, as GraphQL's resolvers give it.

    Raises:
        EngineError: it is not of the type that the function says it returns.
    """
    if type_.kind == VOID:
        return None
    if value is None:
        if type_.optional:
            return None
        raise EngineError(f"unexpected null, expected a value of type {type_.text}")
    if type_.element is not None:
        if not isinstance(value, list):
            raise EngineError(f"unexpected value {json.dumps(value)}, expected a list: {type_.text}")
        return [from_sdk(ids, module, type_.element, each) for each in value]
    return _single(ids, module, type_, value)


def _single(ids: Ids, module: Module, type_: TypeDef, value: Any) -> Any:
    name = type_.named.name if type_.named is not None else ""
    if type_.kind == OBJECT:
        return _object(ids, module, name, value)
    if type_.kind == INTERFACE:
        return ids.load(value)
    if type_.kind == ENUM and (enum := module.enum(name)) is not None:
        for member in enum.members:
            if value in {member.original, member.name}:
                return member.name
        raise EngineError(f"invalid enum value {json.dumps(value)} for {json.dumps(name)}")
    return value


def _object(ids: Ids, module: Module, name: str, value: Any) -> Any:
    own = module.object(name)
    if own is not None and isinstance(value, dict):
        return ModuleObject.of(module, own, value)
    if not isinstance(value, str):
        raise EngineError(f"unexpected value {json.dumps(value)}, expected the ID of a {name}")
    found: Identified = ids.load(value)
    if found.type != name:
        raise EngineError(f'expected "{name}" ID, got {found.type} ID')
    return found.value
