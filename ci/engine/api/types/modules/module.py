"""``Module``: what a module has, and having it served."""

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, refuse, serves, serves_attributes
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.modules.module import Module
from ci.engine.modules.running import calling
from ci.engine.modules.schema.extended import ExtendedSource
from ci.engine.modules.source import ModuleSource
from ci.engine.modules.types.typedefs import TypeDef

serves_attributes("Module", "name", "description", "objects", "interfaces", "enums", "dependencies", "source")
refuse("Module", "user_defaults", because="defaults are given in the functions' own code")
refuse("Module", "introspection_schema_json", because="bindings are made by the engine itself")


@serves("Query")
def module(_call: Call, _parent: object) -> Module:
    """A module that nothing is known of yet: an SDK describes its own with it."""
    return Module()


@serves("Module")
def sync(_call: Call, parent: Module) -> Module:
    """Have the module loaded."""
    return parent


@serves("Module")
def runtime(_call: Call, parent: Module) -> Container | None:
    """The container that its code runs in."""
    return parent.runtime.container if parent.runtime else None


@serves("Module", field="sdk")
def module_sdk(_call: Call, parent: Module) -> ModuleSource | None:
    """What its code is written for."""
    return parent.source if parent.source is not None and parent.source.config.sdk else None


@serves("Module")
def with_description(_call: Call, parent: Module, *, description: str) -> Module:
    """With a description."""
    return replace(parent, description=description.strip())


@serves("Module")
def with_object(_call: Call, parent: Module, *, object: TypeDef) -> Module:  # noqa: A002  # pylint: disable=redefined-builtin
    """With one more object type."""
    return replace(parent, objects=(*parent.objects, object))


@serves("Module")
def with_interface(_call: Call, parent: Module, *, iface: TypeDef) -> Module:
    """With one more interface."""
    return replace(parent, interfaces=(*parent.interfaces, iface))


@serves("Module")
def with_enum(_call: Call, parent: Module, *, enum: TypeDef) -> Module:
    """With one more enum."""
    return replace(parent, enums=(*parent.enums, enum))


@serves("Module")
def serve(
    call: Call, parent: Module, *, include_dependencies: bool | None = None, entrypoint: bool | None = None
) -> None:
    """Have the module's functions in the schema that this client sees; as an entrypoint also in ``Query``.

    A module that was edited takes its own place.
    """
    client, session = call.client, call.session
    for each in (*(parent.dependencies if include_dependencies else ()), parent):
        other = client.served.get(each.name)
        if other is not None and each.location and other.location and each.location != other.location:
            raise EngineError(
                f"module {each.name} (source: {each.location}) already exists with different source "
                f"{other.location}: serve one of them, or name one otherwise"
            )
        client.served[each.name] = each
        if other is not None and client.promoted is other:
            client.promoted = each
    if entrypoint:
        client.promoted = client.served[parent.name]
    known, visible = tuple(session.universe.modules.values()), tuple(client.served.values())
    source = ExtendedSource(
        session.source, visible, client.module, known, calling.answers, promoted=client.promoted
    )
    client.api.show(source)
