"""Which function answers which field: resolver modules register theirs here, one module a GraphQL type."""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from ci.engine.api.path import Keys, Path, keys
from ci.engine.api.schema import FieldSpec, Resolve, Schema, snake
from ci.engine.errors import NotServedError

if TYPE_CHECKING:
    from ci.engine.modules.client import Client
    from ci.engine.session import Session

ResolveT = TypeVar("ResolveT", bound=Resolve)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a field while a query runs: what a resolver may ask about its surroundings."""

    session: "Session"
    field: FieldSpec
    trail: Path
    client: "Client"

    @property
    def path(self) -> Keys:
        """Where in the response the field is."""
        return keys(self.trail)


@dataclass(slots=True)
class Registry:
    """Resolvers by type and field; the field's name is in snake case, without a trailing underscore.

    ``origins`` has the modules that registered them. ``places`` has the modules that will when they are
    imported, which they are when one of their fields is first looked for.
    """

    resolvers: dict[tuple[str, str], Resolve] = dataclasses.field(default_factory=dict)
    refusals: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    origins: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    places: Mapping[tuple[str, str], str] = dataclasses.field(default_factory=dict)

    def add(self, type_name: str, name: str, resolve: Resolve, origin: str = "") -> None:
        """Let ``resolve`` answer a field; registering a second function for it is a programming error."""
        key = (type_name, name.rstrip("_"))
        self.origins[key] = origin
        if self.resolvers.setdefault(key, resolve) is not resolve:
            raise ValueError(f"{type_name}.{name} has two resolvers: {self.resolvers[key]} and {resolve}")

    def find(self, spec: FieldSpec) -> Resolve:
        """Return the function that answers a field.

        Raises:
            NotServedError: there is none; the message names the field, and the reason if there is one.
        """
        if spec.resolve is not None:
            return spec.resolve
        key = (spec.owner, snake(spec.name).rstrip("_"))
        resolve = self.resolver(*key)
        if resolve is not None:
            return resolve
        reason = self.refusals.get(key)
        raise NotServedError(
            f"{spec} is not served by the embedded engine" + (f": {reason}" if reason else "")
        )

    def resolver(self, type_name: str, name: str) -> Resolve | None:
        """The function that answers a field, if there is one."""
        key = (type_name, name)
        if key not in self.resolvers and key not in self.refusals and key in self.places:
            import_module(self.places[key])
        return self.resolvers.get(key)

    def problems(self, schema: Schema) -> Iterator[str]:
        """Say where resolvers and schema do not fit: unknown fields, missing or superfluous parameters."""
        fields = {
            (o.name, snake(f.name).rstrip("_")): f for o in schema.objects.values() for f in o.fields.values()
        }
        for key in self.refusals:
            if key not in fields:
                yield f"{'.'.join(key)} is refused, but the schema has no such field"
        for key, resolve in self.resolvers.items():
            spec = fields.get(key)
            if spec is None:
                yield f"{'.'.join(key)} is served, but the schema has no such field"
            else:
                yield from _misfits(spec, resolve)


REGISTRY = Registry()
"""The resolvers of this engine."""


def serves(type_name: str, *, field: str | None = None) -> Callable[[ResolveT], ResolveT]:
    """Register a resolver, ``(call, parent, *, argument=...)``, for the field of the function's name.

    The function's name and its parameters are the GraphQL names in snake case; a trailing underscore is
    dropped (``from_``). It may be async. It returns the field's value: for an object, any immutable value
    (see ``ci.engine.api.ids``); for ``sync`` and its like, the object that the returned ID shall name.
    """
    origin = _caller()

    def register(resolve: ResolveT) -> ResolveT:
        REGISTRY.add(type_name, field or resolve.__name__, resolve, origin)
        return resolve

    return register


def serves_attributes(type_name: str, *names: str, **others: str) -> None:
    """Serve fields without arguments from attributes of the same (snake case) name, or as ``others`` say."""
    origin = _caller()
    for name, attribute in ({name: name for name in names} | others).items():
        REGISTRY.add(type_name, name, _attribute(attribute), origin)


def refuse(type_name: str, *names: str, because: str) -> None:
    """Say why fields (in snake case) are not served, on purpose."""
    origin = _caller()
    for name in names:
        key = (type_name, name.rstrip("_"))
        REGISTRY.refusals[key], REGISTRY.origins[key] = because, origin


def load(modules: Iterable[str]) -> Registry:
    """Import resolver modules, which registers what they serve."""
    for module in modules:
        import_module(module)
    return REGISTRY


def lazy(places: Mapping[tuple[str, str], str]) -> Registry:
    """The resolvers of this engine, each imported when it is first looked for: from the module it is in."""
    REGISTRY.places = places
    return REGISTRY


async def settled(value: Any) -> Any:
    """What a resolver gave; it is waited for if the resolver is async."""
    return await value if inspect.isawaitable(value) else value


def _caller() -> str:
    """The module that called the function that asks."""
    frame = inspect.currentframe()
    outer = frame.f_back.f_back if frame and frame.f_back else None
    return str(outer.f_globals["__name__"]) if outer else ""


def _attribute(name: str) -> Resolve:
    def resolve(_call: Call, parent: Any) -> Any:
        return getattr(parent, name)

    return resolve


def _misfits(spec: FieldSpec, resolve: Resolve) -> Iterator[str]:
    _call, _parent, *parameters = inspect.signature(resolve).parameters.values()
    by_name = {p.name: p for p in parameters}
    for argument in spec.arguments.values():
        parameter = by_name.pop(argument.parameter, None)
        if parameter is None:
            yield f"{spec}: the resolver does not take {argument.parameter!r}"
        elif parameter.default is inspect.Parameter.empty and not argument.required:
            yield f"{spec}: the resolver's {argument.parameter!r} needs a default, the argument is optional"
    yield from (f"{spec}: the resolver takes {name!r}, which the field has not" for name in by_name)
