"""A module as a value: its types, and the objects that its functions give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.modules.types.kinds import OBJECT
from ci.engine.modules.types.names import camel, lower_camel
from ci.engine.modules.types.typedefs import Enum, Function, Interface, Object, TypeDef, referring

if TYPE_CHECKING:
    from ci.engine.modules.running.runtime import Runtime
    from ci.engine.modules.source import ModuleSource

T = TypeVar("T", Object, Interface, Enum)


@dataclass(frozen=True)
class Module(Digested):
    """A module; without a source and a runtime it is one that an SDK is still describing.

    ``key`` names what its functions do: the content of its source and of what it depends on. ``itself`` has
    its types under the names that its own code knows them by, where it is used under another name.
    """

    name: str = ""
    original: str = ""
    description: str = ""
    objects: tuple[TypeDef, ...] = ()
    interfaces: tuple[TypeDef, ...] = ()
    enums: tuple[TypeDef, ...] = ()
    dependencies: tuple[Module, ...] = ()
    source: ModuleSource | None = None
    runtime: Runtime | None = None
    key: str = ""
    itself: Module | None = None

    @property
    def caches(self) -> bool:
        """Whether its functions' results may be used in another session, unless they say otherwise."""
        return self.source is not None and self.source.config.cached_functions

    @property
    def constructor(self) -> str:
        """The field of ``Query`` that makes its main object."""
        return lower_camel(self.name)

    @property
    def location(self) -> str:
        """Where its code is on the host, "" if it is not there."""
        return self.source.location if self.source is not None else ""

    @property
    def main(self) -> Object | None:
        """Its main object: the one that is called as the module is."""
        return self.object(camel(self.name))

    @property
    def entry(self) -> Function | None:
        """The function of ``Query`` that makes its main object, if it has one."""
        main = self.main
        if main is None:
            return None
        returns = referring(OBJECT, main.name)
        made = main.constructor
        if made is None:
            return Function(self.constructor, self.constructor, returns, main.description, module=self.name)
        return replace(
            made,
            name=self.constructor,
            original=self.constructor,
            returns=returns,
            description=made.description or main.description,
        )

    @property
    def types(self) -> tuple[TypeDef, ...]:
        """All types of its own: objects, interfaces and enums."""
        return (*self.objects, *self.interfaces, *self.enums)

    def all(self, sort: type[T]) -> Iterator[T]:
        """Its objects, interfaces or enums, as such."""
        return (each.named for each in self.types if isinstance(each.named, sort))

    def object(self, name: str) -> Object | None:
        """The object type that GraphQL knows by a name."""
        return next((each for each in self.all(Object) if each.name == name), None)

    def interface(self, name: str) -> Interface | None:
        """The interface that GraphQL knows by a name."""
        return next((each for each in self.all(Interface) if each.name == name), None)

    def enum(self, name: str) -> Enum | None:
        """The enum that GraphQL knows by a name."""
        return next((each for each in self.all(Enum) if each.name == name), None)


@dataclass(frozen=True)
class ModuleObject:
    """An object of a module's type: its state, as its SDK wrote it in JSON."""

    module: Module = field(repr=False)
    type: Object
    state: str

    @property
    def digest(self) -> str:
        """What it is: of which type of which module, and its state."""
        return fingerprint("module object", self.module.key, self.type.name, self.state)

    @classmethod
    def of(cls, module: Module, type_: Object, fields: dict[str, Any]) -> ModuleObject:
        """An object with the given state."""
        return cls(module, type_, json.dumps(fields, sort_keys=True, ensure_ascii=False))

    @property
    def fields(self) -> dict[str, Any]:
        """Its state: values by the names that the module's author gave them."""
        found: dict[str, Any] = json.loads(self.state)
        return found
