"""``TypeDef`` and what it may be: how an SDK describes a module's types, and how anyone reads them."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.errors import EngineError
from ci.engine.modules.types import names
from ci.engine.modules.types.kinds import ENUM, INTERFACE, LIST, OBJECT, SCALAR
from ci.engine.modules.types.typedefs import (
    Enum,
    Field,
    Function,
    Input,
    Interface,
    Member,
    Object,
    Scalar,
    SourceMap,
    TypeDef,
)

serves_attributes("TypeDef", "kind", "name", "optional")
serves_attributes("ObjectTypeDef", "name", "description", "fields", "functions", "constructor", "source_map")
serves_attributes("ObjectTypeDef", "deprecated")
serves_attributes("InterfaceTypeDef", "name", "description", "functions", "source_map")
serves_attributes("EnumTypeDef", "name", "description", "members", "source_map")
serves_attributes("EnumValueTypeDef", "name", "value", "description", "source_map", "deprecated")
serves_attributes("FieldTypeDef", "name", "description", "source_map", "deprecated")
serves_attributes("ListTypeDef", element_type_def="element")
serves_attributes("FieldTypeDef", type_def="type")
serves_attributes("EnumTypeDef", values="members")
serves_attributes("InputTypeDef", "name", "fields")
serves_attributes("ScalarTypeDef", "name", "description")
serves_attributes("SourceMap", "filename", "line", "column", "module", "url")
for _type in ("ObjectTypeDef", "InterfaceTypeDef", "EnumTypeDef", "ScalarTypeDef"):
    serves_attributes(_type, source_module_name="module")  # "" for Dagger's own


@serves("Query")
def type_def(_call: Call, _parent: object) -> TypeDef:
    """A type that nothing is known of yet."""
    return TypeDef()


@serves("Query")
def source_map(_call: Call, _parent: object, *, filename: str, line: int, column: int) -> SourceMap:
    """A place in a module's source."""
    return SourceMap(filename, line, column)


@serves("TypeDef")
def as_object(_call: Call, parent: TypeDef) -> Object | None:
    """As an object type, if it is one."""
    return parent.named if isinstance(parent.named, Object) else None


@serves("TypeDef")
def as_interface(_call: Call, parent: TypeDef) -> Interface | None:
    """As an interface, if it is one."""
    return parent.named if isinstance(parent.named, Interface) else None


@serves("TypeDef")
def as_enum(_call: Call, parent: TypeDef) -> Enum | None:
    """As an enum, if it is one."""
    return parent.named if isinstance(parent.named, Enum) else None


@serves("TypeDef")
def as_scalar(_call: Call, parent: TypeDef) -> Scalar | None:
    """As a scalar, if it is one."""
    return parent.named if isinstance(parent.named, Scalar) else None


@serves("TypeDef")
def as_input(_call: Call, parent: TypeDef) -> Input | None:
    """As a group of arguments, if it is one."""
    return parent.named if isinstance(parent.named, Input) else None


@serves("TypeDef")
def as_list(_call: Call, parent: TypeDef) -> TypeDef | None:
    """As a list, if it is one."""
    return parent if parent.kind == LIST else None


@serves("TypeDef")
def with_kind(_call: Call, parent: TypeDef, *, kind: str) -> TypeDef:
    """With a kind that has no name of its own."""
    return replace(parent, kind=kind)


@serves("TypeDef")
def with_optional(_call: Call, parent: TypeDef, *, optional: bool) -> TypeDef:
    """Where it may be left out, or may not."""
    return replace(parent, optional=optional)


@serves("TypeDef")
def with_list_of(_call: Call, parent: TypeDef, *, element_type: TypeDef) -> TypeDef:
    """A list."""
    return replace(parent, kind=LIST, element=element_type)


def _check(name: str, what: str) -> None:
    if not name:
        raise EngineError(f"{what} type def must have a name")


@serves("TypeDef")
def with_object(
    _call: Call,
    parent: TypeDef,
    *,
    name: str,
    description: str = "",
    source_map: SourceMap | None = None,
    deprecated: str | None = None,
) -> TypeDef:
    """An object type."""
    _check(name, "object")
    found = Object(names.camel(name), name, description, source_map=source_map, deprecated=deprecated)
    return replace(parent, kind=OBJECT, named=found)


@serves("TypeDef")
def with_interface(
    _call: Call, parent: TypeDef, *, name: str, description: str = "", source_map: SourceMap | None = None
) -> TypeDef:
    """An interface."""
    _check(name, "interface")
    found = Interface(names.camel(name), name, description, source_map=source_map)
    return replace(parent, kind=INTERFACE, named=found)


@serves("TypeDef")
def with_scalar(_call: Call, parent: TypeDef, *, name: str, description: str = "") -> TypeDef:
    """A scalar."""
    _check(name, "scalar")
    return replace(parent, kind=SCALAR, named=Scalar(names.camel(name), name, description))


@serves("TypeDef")
def with_enum(
    _call: Call, parent: TypeDef, *, name: str, description: str = "", source_map: SourceMap | None = None
) -> TypeDef:
    """An enum."""
    _check(name, "enum")
    found = Enum(names.camel(name), name, description, source_map=source_map)
    return replace(parent, kind=ENUM, named=found)


@serves("TypeDef")
def with_enum_member(
    _call: Call,
    parent: TypeDef,
    *,
    name: str,
    value: str = "",
    description: str = "",
    source_map: SourceMap | None = None,
    deprecated: str | None = None,
) -> TypeDef:
    """The enum with one more member."""
    if not isinstance(parent.named, Enum):
        raise EngineError(f"cannot add value to type: {parent.kind or 'unknown'}")
    if any(name == member.original for member in parent.named.members):
        raise EngineError(f'enum "{name}" is already defined')
    member = Member(names.enum_member(name), name, value, description, source_map, deprecated)
    return replace(parent, named=replace(parent.named, members=(*parent.named.members, member)))


@serves("TypeDef")
def with_enum_value(
    call: Call,
    parent: TypeDef,
    *,
    value: str,
    description: str = "",
    source_map: SourceMap | None = None,
    deprecated: str | None = None,
) -> TypeDef:
    """The enum with one more member, which is called by its value."""
    return with_enum_member(
        call,
        parent,
        name=value,
        value=value,
        description=description,
        source_map=source_map,
        deprecated=deprecated,
    )


@serves("TypeDef")
def with_field(
    _call: Call,
    parent: TypeDef,
    *,
    name: str,
    type_def: TypeDef,
    description: str = "",
    source_map: SourceMap | None = None,
    deprecated: str | None = None,
) -> TypeDef:
    """The object with one more field."""
    if not isinstance(parent.named, Object):
        raise EngineError(f"cannot add field to type: {parent.kind or 'unknown'}")
    field = Field(names.lower_camel(name), name, type_def, description, source_map, deprecated)
    return replace(parent, named=replace(parent.named, fields=(*parent.named.fields, field)))


@serves("TypeDef")
def with_function(_call: Call, parent: TypeDef, *, function: Function) -> TypeDef:
    """The object or interface with one more function."""
    if not isinstance(parent.named, Object | Interface):
        raise EngineError(f"cannot add function to type: {parent.kind or 'unknown'}")
    functions = (*parent.named.functions, function)
    return replace(parent, named=replace(parent.named, functions=functions))


@serves("TypeDef")
def with_constructor(_call: Call, parent: TypeDef, *, function: Function) -> TypeDef:
    """The object with what makes one."""
    if not isinstance(parent.named, Object):
        raise EngineError(f"cannot add constructor function to type: {parent.kind or 'unknown'}")
    return replace(parent, named=replace(parent.named, constructor=function))
