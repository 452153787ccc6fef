"""The schema that a client sees: Dagger's own types, and those of the modules that are served to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ci.engine.api.schema import MISSING, ArgumentSpec, FieldSpec, ObjectSpec, Resolve, Schema, type_ref
from ci.engine.modules.module import Module
from ci.engine.modules.schema import introspection
from ci.engine.modules.schema.entrypoint import direct
from ci.engine.modules.schema.implementing import implementing
from ci.engine.modules.types.typedefs import Argument, Enum, Function, Interface, Object

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLSchema

    from ci.engine.api.source import SchemaSource

    #: Gives what answers a field: of a module, of an object or interface of it (None: of Query), by its name.
    Answers = Callable[[Module, Object | Interface | None, str], Resolve]


class Absent:
    """The type of ``ABSENT``."""


ABSENT = Absent()
"""Stands for an argument that was not given, where the function has a default of its own."""


class ExtendedSource:
    """A schema made of the installed SDK's and of modules: like ``SchemaSource``, for one kind of client.

    ``visible`` modules may be called; ``own`` has the types of the module whose code the client is, and
    ``known`` those whose objects the client may come across. What ``promoted`` has is in ``Query``, and
    stands in for its constructor and for what Dagger has under the same names.
    """

    def __init__(
        self,
        core: SchemaSource,
        visible: tuple[Module, ...],
        own: Module | None,
        known: Iterable[Module],
        answers: Answers,
        *,
        promoted: Module | None = None,
    ) -> None:
        self._core = core
        self._promoted = promoted
        self._visible = visible
        self._own = own
        self._known = tuple(known)
        self._answers = answers

    @cached_property
    def schema(self) -> Schema:
        """The schema as the engine uses it."""
        core = self._core.schema
        objects, interfaces = dict(core.objects), dict(core.interfaces)
        enums = dict(core.enums)
        shown = (*self._visible, *((self._own,) if self._own else ()))
        for module in (*self._known, *shown):
            interfaces |= {i.name: _composite(module, i, self._answers) for i in module.all(Interface)}
            objects |= {o.name: _composite(module, o, self._answers) for o in module.all(Object)}
            enums |= {e.name: {m.name: m.name for m in e.members} for e in module.all(Enum)}
        own = {o.name for module in (*self._known, *shown) for o in module.all(Object)}
        found = implementing({name: objects[name] for name in own}, interfaces)
        objects |= {n: replace(objects[n], interfaces=each) for n, each in found.items() if n in objects}
        interfaces |= {
            n: replace(interfaces[n], interfaces=each) for n, each in found.items() if n in interfaces
        }
        query = objects["Query"]
        entered = [each for each in self._visible if each is not self._promoted]
        fields = {
            each.entry.name: _function("Query", each.entry, self._answers(each, None, ""))
            for each in entered
            if each.entry is not None
        }
        loaded = [o.name for each in shown for o in each.all(Object)] + [
            i.name for each in shown for i in each.all(Interface)
        ]
        loaders = {f"load{name}FromID": _loader(name) for name in loaded}
        if self._promoted is not None:
            found_direct = direct(self._promoted, self._answers, _function, ABSENT)
            fields |= {each.name: each for each in found_direct}
        objects["Query"] = replace(query, fields={**query.fields, **loaders, **fields})
        return Schema(objects, interfaces, enums, core.inputs, core.scalars)

    @cached_property
    def introspection(self) -> dict[str, Any]:
        """The full answer to the standard introspection query."""
        shown = (*self._visible, *((self._own,) if self._own else ()))
        return introspection.extended(
            self._core.introspection, self.schema, shown, self._visible, self._promoted
        )

    @cached_property
    def graphql(self) -> GraphQLSchema:
        """The schema as graphql-core has it; slow to build, needed only to say what is wrong with a query."""
        from graphql import build_client_schema

        return build_client_schema(self.introspection, assume_valid=True)  # type: ignore[arg-type]


def _composite(module: Module, type_: Object | Interface, answers: Answers) -> ObjectSpec:
    read = [each.read() for each in type_.fields] if isinstance(type_, Object) else []
    fields = {"id": FieldSpec(type_.name, "id", type_ref("ID!"), {})}
    for function in (*read, *type_.functions):
        fields[function.name] = _function(type_.name, function, answers(module, type_, function.name))
    return ObjectSpec(type_.name, frozenset({"Node"}), fields)


def _function(owner: str, function: Function, resolve: Resolve) -> FieldSpec:
    arguments = {a.name: _argument(a) for a in function.arguments}
    text = type_ref(function.returns.text)
    return FieldSpec(owner, function.name, text, arguments, None, resolve)


def _argument(argument: Argument) -> ArgumentSpec:
    text = argument.type.input_text
    optional = argument.contextual or argument.default is not None
    return ArgumentSpec(
        argument.name,
        argument.name,
        type_ref(text.removesuffix("!") if optional else text),
        ABSENT if optional else MISSING,
    )


def _loader(name: str) -> FieldSpec:
    argument = ArgumentSpec("id", "id", type_ref("ID!"))
    return FieldSpec("Query", f"load{name}FromID", type_ref(f"{name}!"), {"id": argument})
