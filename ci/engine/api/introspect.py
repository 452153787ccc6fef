"""Answers ``__schema`` and ``__type`` from the prepared introspection document, field by field as asked."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from graphql.language import FieldNode, FragmentSpreadNode, SelectionSetNode

from ci.engine.api.coerce import plain
from ci.engine.api.plan import InvalidQueryError, Plan

DEPRECATED = ("fields", "args", "inputFields", "enumValues")


class Introspection:
    """The prepared document, read when it is first asked for, and the types in it by name."""

    def __init__(self, document: Callable[[], Mapping[str, Any]]) -> None:
        self._document = document

    @cached_property
    def _schema(self) -> Any:
        return self._document()["__schema"]

    @cached_property
    def _types(self) -> dict[Any, Any]:
        return {t["name"]: t for t in self._schema["types"]}

    def answer(self, node: FieldNode, plan: Plan) -> Any:
        """Return the value of a ``__schema`` or ``__type`` field of a plan."""
        if node.name.value == "__schema":
            value = self._schema
        else:
            value = self._types.get(_arguments(node, plan).get("name"))
        return self._projected(value, node.selection_set, plan, node.name.value)

    def _projected(self, value: Any, selection_set: SelectionSetNode | None, plan: Plan, where: str) -> Any:
        if isinstance(value, list):
            return [self._projected(item, selection_set, plan, where) for item in value]
        if not isinstance(value, dict):
            return value
        if selection_set is None:
            raise InvalidQueryError(f'field "{where}" must have a selection of subfields')
        if "ofType" in value or "kind" in value:  # a reference to a type has its name only
            value = self._types.get(value.get("name"), value)
        answered = {}
        for node in _fields(selection_set, plan):
            name = node.name.value
            key = node.alias.value if node.alias else name
            if name == "__typename":
                answered[key] = _typename(value)
                continue
            item = value.get(name)
            if name in DEPRECATED and item and not _arguments(node, plan).get("includeDeprecated"):
                item = [i for i in item if not i.get("isDeprecated")]
            answered[key] = self._projected(item, node.selection_set, plan, name)
        return answered


def _fields(selection_set: SelectionSetNode, plan: Plan) -> Iterator[FieldNode]:
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(plan.fragments[node.name.value].selection_set, plan)
        else:
            yield from _fields(node.selection_set, plan)  # type: ignore[attr-defined]


def _arguments(node: FieldNode, plan: Plan) -> dict[str, Any]:
    return {a.name.value: plain(a.value, plan.variables) for a in node.arguments or ()}


def _typename(value: Mapping[str, Any]) -> str:
    if "queryType" in value:
        return "__Schema"
    if "kind" in value:
        return "__Type"
    if "locations" in value:
        return "__Directive"
    if "args" in value:
        return "__Field"
    return "__InputValue" if "type" in value else "__EnumValue"
