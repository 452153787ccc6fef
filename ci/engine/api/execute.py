"""Runs a planned query: resolvers from the registry, one after the other down a chain, side by side across.

A chain of single selections, which is what Dagger's SDKs send, is walked in a loop: its length costs neither
stack nor, when a resolver deep in it waits, a pass through every level above.
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from ci.engine.api.calls import note
from ci.engine.api.ids import Identified
from ci.engine.api.introspect import Introspection
from ci.engine.api.path import Keys, Path, keys
from ci.engine.api.plan import Plan, Selection
from ci.engine.api.registry import Call, Registry, settled
from ci.engine.api.schema import ArgumentSpec, FieldSpec, Schema, TypeRef
from ci.engine.errors import EngineError
from ci.engine.modules import guests

if TYPE_CHECKING:
    from ci.engine.modules.client import Client
    from ci.engine.session import Session


class _Root:
    """The parent of the fields of ``Query``."""

    digest = "query"


ROOT = Identified("Query", _Root())
LOADING = re.compile("node|load.+FromID")


class FieldErrors(Exception):
    """What went wrong in a query: each error and the path of the field it happened in."""

    def __init__(self, errors: Sequence[tuple[Exception, Keys]]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Executor:
    """Executes plans for one client of a session."""

    schema: Schema
    registry: Registry
    session: "Session"
    introspection: Introspection
    client: "Client"

    async def execute(self, plan: Plan) -> dict[str, Any]:
        """Return the data of the response.

        Raises:
            FieldErrors: a field could not be resolved; all that could not be, if several were tried.
        """
        return await self._object(ROOT, plan.selections, None, plan)

    async def _object(
        self, parent: Identified, selections: Sequence[Selection], path: Path, plan: Plan
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        target = answer
        while True:
            live = [s for s in selections if s.on is None or parent.type in s.on]
            if len(live) != 1:
                target.update(await self._side_by_side(parent, live, path, plan))
                return answer
            [selection] = live
            path = (path, selection.key)
            value = await self._value(parent, selection, path, plan)
            if not selection.children or value is None or isinstance(value, list):
                target[selection.key] = await self._completed(value, selection, path, plan)
                return answer
            target[selection.key] = target = {}
            parent, selections = value, selection.children

    async def _side_by_side(
        self, parent: Identified, selections: Sequence[Selection], path: Path, plan: Plan
    ) -> dict[str, Any]:
        answer: dict[str, Any] = dict.fromkeys(s.key for s in selections)  # in the order they were asked for
        errors: list[tuple[Exception, Keys]] = []

        async def one(selection: Selection) -> None:
            try:
                below = (path, selection.key)
                value = await self._value(parent, selection, below, plan)
                answer[selection.key] = await self._completed(value, selection, below, plan)
            except FieldErrors as error:
                errors.extend(error.errors)

        async with anyio.create_task_group() as tasks:
            for selection in selections:
                tasks.start_soon(one, selection)
        if errors:
            raise FieldErrors(errors)
        return answer

    async def _completed(self, value: Any, selection: Selection, path: Path, plan: Plan) -> Any:
        """Return a value as the response has it: objects and lists of them by what is selected on them."""
        if isinstance(value, Identified):
            return await self._object(value, selection.children, path, plan)
        if not (isinstance(value, list) and selection.children):
            return value
        answers: list[Any] = [None] * len(value)
        errors: list[tuple[Exception, Keys]] = []

        async def one(index: int, item: Any) -> None:
            try:
                answers[index] = await self._completed(item, selection, (path, index), plan)
            except FieldErrors as error:
                errors.extend(error.errors)

        async with anyio.create_task_group() as tasks:
            for index, item in enumerate(value):
                tasks.start_soon(one, index, item)
        if errors:
            raise FieldErrors(errors)
        return answers

    async def _value(self, parent: Identified, selection: Selection, path: Path, plan: Plan) -> Any:
        """Resolve a field: objects come back as ``Identified``, leaves ready for JSON."""
        try:
            if selection.spec is None:
                return self._meta(parent.type, selection, plan)
            spec = self.schema.objects[parent.type].fields[selection.spec.name]
            return await self._resolved(parent, spec, selection.arguments, path)
        except Exception as error:  # whatever it is, it is an error of this field
            raise FieldErrors([(error, keys(path))]) from error

    def _meta(self, type_name: str, selection: Selection, plan: Plan) -> Any:
        if selection.node.name.value == "__typename":
            return type_name
        return self.introspection.answer(selection.node, plan)

    async def _resolved(
        self, parent: Identified, spec: FieldSpec, arguments: Mapping[str, Any], path: Path
    ) -> Any:
        if spec.name == "id":
            return self.session.ids.of(parent.type, parent.value)
        if parent is ROOT and LOADING.fullmatch(spec.name):
            return self._node(spec, arguments["id"])
        if not self.session.calls.wanted(spec):
            return await self._called(parent, spec, arguments, path)
        with self.session.calls.told(parent, spec, arguments) as step:
            value = await self._called(parent, spec, arguments, path)
            note(step, value)
            return value

    async def _called(
        self, parent: Identified, spec: FieldSpec, arguments: Mapping[str, Any], path: Path
    ) -> Any:
        if self.client.module is not None:
            guests.check(spec, arguments)
        loaded = self._loaded(arguments, spec.arguments) if spec.arguments else arguments
        resolve, call = self.registry.find(spec), Call(self.session, spec, path, self.client)
        opening = self.session.opening
        if opening is not None and not opening.opened and inspect.iscoroutinefunction(resolve):
            await opening.ready()  # what is not async makes values of values, and hardly ever needs more
        try:
            value = await settled(resolve(call, parent.value, **loaded))
        except EngineError as error:
            if not self.session.heal(error):
                raise
            value = await settled(resolve(call, parent.value, **loaded))
        return self._typed(value, spec.type, spec)

    def _loaded(self, arguments: Mapping[str, Any], specs: Mapping[str, ArgumentSpec]) -> dict[str, Any]:
        """Replace the IDs among arguments by the objects they name."""
        loaded = dict(arguments)
        for spec in specs.values():
            if spec.expects is None or (given := loaded.get(spec.parameter)) is None:
                continue
            if isinstance(given, list):
                loaded[spec.parameter] = [self._load(id_, spec.expects).value for id_ in given]
            else:
                loaded[spec.parameter] = self._load(given, spec.expects).value
        return loaded

    def _load(self, id_: str, expected: str) -> Identified:
        found = self.session.ids.load(id_)
        if found.type not in self.schema.possible[expected]:
            raise EngineError(f'expected "{expected}" ID, got {found.type} ID')
        return found

    def _node(self, spec: FieldSpec, id_: str) -> Identified:
        found = self.session.ids.load(id_)
        if found.type not in self.schema.possible[spec.type.name]:
            expected = spec.type.name
            raise EngineError(f"load {expected}: expected {expected}, got {found.type}")
        return found

    def _typed(self, value: Any, type_: TypeRef, spec: FieldSpec) -> Any:
        if value is None:
            if type_.required:
                raise TypeError(f"{spec} is {spec.type}, but its resolver returned None")
            return None
        if isinstance(value, Identified):  # an interface's field: the resolver says which object it is
            return value
        if type_.item is not None:
            item = type_.item
            return [self._typed(v, item, spec) for v in value]
        if type_.name in self.schema.objects:
            # A value's digest is made of those it is built on. Made here, after each call, that is one step;
            # left to the end of a chain of hundreds, it would recurse through them all.
            getattr(value, "digest", None)
            return Identified(type_.name, value)
        if type_.name == "ID" and not isinstance(value, str):
            return self.session.ids.of(spec.expects or spec.owner, value)
        return value
