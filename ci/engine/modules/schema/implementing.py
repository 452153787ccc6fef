"""Which interfaces the objects of modules implement: those that they have all fields of; nobody says so."""

from __future__ import annotations

from collections.abc import Mapping

from ci.engine.api.schema import FieldSpec, ObjectSpec, TypeRef


def implementing(
    objects: Mapping[str, ObjectSpec], interfaces: Mapping[str, ObjectSpec]
) -> dict[str, frozenset[str]]:
    """The names of the interfaces that each object and interface implements, by GraphQL's own rules.

    What a field returns may depend on what implements what: all is taken to fit until something does not.
    """
    all_of_them = {**objects, **interfaces}
    pairs = {(name, wanted) for name in all_of_them for wanted in interfaces if name != wanted}
    while True:
        unfit = {
            (name, wanted)
            for name, wanted in pairs
            if not _implements(all_of_them[name], interfaces[wanted], pairs)
        }
        if not unfit:
            break
        pairs -= unfit
    return {name: frozenset(wanted for each, wanted in pairs if each == name) for name in all_of_them}


def _implements(object_: ObjectSpec, interface: ObjectSpec, pairs: set[tuple[str, str]]) -> bool:
    for name, wanted in interface.fields.items():
        field = object_.fields.get(name)
        if field is None or not _takes(field, wanted) or not _is(field.type, wanted.type, pairs):
            return False
    return True


def _takes(field: FieldSpec, wanted: FieldSpec) -> bool:
    """Whether a field takes all arguments of another, and needs no more than these."""
    for name, argument in wanted.arguments.items():
        own = field.arguments.get(name)
        if own is None or own.type != argument.type:
            return False
    return not any(a.type.required for name, a in field.arguments.items() if name not in wanted.arguments)


def _is(type_: TypeRef, wanted: TypeRef, pairs: set[tuple[str, str]]) -> bool:
    """Whether a type is another, or one of its kinds."""
    if wanted.required and not type_.required:
        return False
    if wanted.item is not None or type_.item is not None:
        return wanted.item is not None and type_.item is not None and _is(type_.item, wanted.item, pairs)
    return type_.name == wanted.name or (type_.name, wanted.name) in pairs
