"""Gives a module's types their names among all types: each begins with the module's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ci.engine.errors import EngineError
from ci.engine.modules.module import Module
from ci.engine.modules.types.names import camel, namespaced
from ci.engine.modules.types.typedefs import Argument, Enum, Field, Function, Interface, Object, TypeDef

#: Says what the type of a name in the module's source is called in the schema.
Rename = Callable[[str], str]


def named(described: Module, name: str, original: str, core: frozenset[str]) -> Module:
    """A module as its SDK described it, under its name, with its types named as the schema has them.

    Raises:
        EngineError: it has no main object, or a type or field that it may not have.
    """
    own = {
        each.named.original: namespaced(each.named.original, name, original)
        for each in described.types
        if isinstance(each.named, Object | Interface | Enum)
    }

    def rename(known: str) -> str:
        return own.get(known, known)

    _check_new(described, own, core)
    module = replace(
        described,
        name=name,
        original=original,
        objects=tuple(replace(each, named=_object(each.named, rename, name)) for each in described.objects),
        interfaces=tuple(
            replace(each, named=_interface(each.named, rename, name)) for each in described.interfaces
        ),
        enums=tuple(replace(each, named=_enum(each.named, rename, name)) for each in described.enums),
    )
    if module.main is None:
        raise EngineError(
            f'module "{name}" has no main object: a class named "{namespaced(original, original, original)}"'
        )
    return module


def _check_new(described: Module, names: Mapping[str, str], core: frozenset[str]) -> None:
    """EngineError if a type has the name of one of Dagger's own; an object may not have it in its source."""
    objects = {each.original for each in described.all(Object)}
    for original, name in names.items():
        for taken in (name, *((camel(original),) if original in objects else ())):
            if taken in core:
                raise EngineError(
                    f'type "{taken}" is already defined by module "daggercore": it is one of Dagger\'s own, '
                    f'so give class "{original}" another name (a main object\'s is that of its module)'
                )


def _type(type_: TypeDef, rename: Rename) -> TypeDef:
    if type_.element is not None:
        return replace(type_, element=_type(type_.element, rename))
    if isinstance(type_.named, Object | Interface | Enum):
        return replace(type_, named=replace(type_.named, name=rename(type_.named.name)))
    return type_


def _argument(argument: Argument, rename: Rename) -> Argument:
    return replace(argument, type=_type(argument.type, rename))


def _function(function: Function, rename: Rename, module: str) -> Function:
    return replace(
        function,
        returns=_type(function.returns, rename),
        arguments=tuple(_argument(each, rename) for each in function.arguments),
        module=module,
    )


def _field(field: Field, rename: Rename, owner: str) -> Field:
    if field.name == "id":
        raise EngineError(f'cannot define field with reserved name "id" on object "{owner}"')
    return replace(field, type=_type(field.type, rename))


def _object(object_: object, rename: Rename, module: str) -> Object:
    assert isinstance(object_, Object)  # noqa: S101  # that is what withObject takes
    name = rename(object_.original)
    for each in object_.functions:
        if each.name == "id":
            raise EngineError(f'cannot define function with reserved name "id" on object "{name}"')
    return replace(
        object_,
        name=name,
        fields=tuple(_field(each, rename, name) for each in object_.fields),
        functions=tuple(_function(each, rename, module) for each in object_.functions),
        constructor=_function(object_.constructor, rename, module) if object_.constructor else None,
        module=module,
    )


def _interface(interface: object, rename: Rename, module: str) -> Interface:
    assert isinstance(interface, Interface)  # noqa: S101  # that is what withInterface takes
    return replace(
        interface,
        name=rename(interface.original),
        functions=tuple(_function(each, rename, module) for each in interface.functions),
        module=module,
    )


def _enum(enum: object, rename: Rename, module: str) -> Enum:
    assert isinstance(enum, Enum)  # noqa: S101  # that is what withEnum takes
    return replace(enum, name=rename(enum.original), module=module)
