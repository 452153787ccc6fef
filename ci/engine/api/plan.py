"""Turns a query's text into the plan of its fields: checked against the schema, arguments coerced.

Only what makes execution right is checked here, in one pass. When something is wrong, graphql-core's own
validation is asked for the words (``explain``), so that a wrong query gets the errors any GraphQL user knows.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql.error import GraphQLError
from graphql.language import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)
from graphql.language.parser import Parser

from ci.engine.api.coerce import CoercionError, arguments, plain
from ci.engine.api.schema import MISSING, FieldSpec, Schema, type_ref
from ci.engine.errors import EngineError

if TYPE_CHECKING:
    from graphql import GraphQLSchema

DEPTH_LIMIT = 5_000  # levels of nesting in a query
FRAMES_A_LEVEL = 12  # Python frames that parsing and planning take for each
NAME_IN_QUOTES = re.compile(r"'([^'\s]*)'")


class InvalidQueryError(EngineError):
    """A query that is no GraphQL, or that the schema does not allow."""

    def __init__(
        self, message: str, errors: Sequence[GraphQLError] = (), code: str = "GRAPHQL_VALIDATION_FAILED"
    ) -> None:
        super().__init__(message)
        self.errors = errors
        self.code = code


@dataclass(slots=True)
class Selection:
    """A field to be resolved. ``spec`` is None for ``__typename`` and for introspection.

    ``on`` has the names of the objects that it is selected on; None if on all.
    """

    key: str
    node: FieldNode
    spec: FieldSpec | None
    arguments: Mapping[str, Any]
    on: frozenset[str] | None
    children: "list[Selection]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """One operation, ready to be executed."""

    selections: list[Selection]
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]


class _DeepParser(Parser):
    """graphql-core's parser, which stops at 200 levels; an SDK's chain has a level for each call."""

    def _enter_nesting(self) -> None:
        self._nesting_depth += 1
        if self._nesting_depth > DEPTH_LIMIT:
            raise RecursionError


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let pure Python code recurse for as many levels as a query may have.

    Only around such code: what recurses in C would run out of stack before it runs into this limit.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEPTH_LIMIT * FRAMES_A_LEVEL))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def parsed(text: str) -> DocumentNode:
    """Parse a query.

    Raises:
        InvalidQueryError: it is no GraphQL, or nested too deep.
    """
    try:
        with deep_recursion():
            return _DeepParser(text).parse_document()
    except RecursionError:
        raise InvalidQueryError(
            f"the query is nested too deep: over {DEPTH_LIMIT} levels", code="GRAPHQL_PARSE_FAILED"
        ) from None
    except GraphQLError as error:
        raise InvalidQueryError(error.message, [error], "GRAPHQL_PARSE_FAILED") from None


def planned(
    document: DocumentNode,
    schema: Schema,
    operation: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Plan:
    """Plan one operation of a document.

    Raises:
        InvalidQueryError: there is no such operation, or the schema does not allow it.
    """
    chosen = _operation(document, operation)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    values = _variables(chosen, variables or {})
    planner = _Planner(schema, fragments, values)
    selections: list[Selection] = []
    try:
        with deep_recursion():
            planner.select("Query", chosen.selection_set, None, selections, ())
    except CoercionError as error:
        raise InvalidQueryError(error.message) from None
    return Plan(selections, fragments, values)


def explained(document: DocumentNode, schema: "GraphQLSchema") -> list[GraphQLError]:
    """Return all that is wrong with a query, in the words of GraphQL's own validation."""
    from graphql import validate

    errors = validate(schema, document)
    if any("nested too deep" in error.message for error in errors):  # graphql-core stops at 200 levels
        return []
    for error in errors:
        error.message = NAME_IN_QUOTES.sub(r'"\1"', error.message)
    return errors


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name:
        operations = [o for o in operations if o.name and o.name.value == name]
    match operations:
        case [one] if one.operation is OperationType.QUERY:
            return one
        case [other]:
            raise InvalidQueryError(f"{other.operation.value}s not supported")
        case [] if name:
            raise InvalidQueryError(f"operation {name} not found")
        case []:
            raise InvalidQueryError("no operation provided")
        case _:
            raise InvalidQueryError("operation name is required: the query has several operations")


def _variables(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in given:
            values[name] = given[name]
        elif definition.default_value is not None:
            values[name] = plain(definition.default_value, {})
        elif definition.type.kind == "non_null_type":
            raise InvalidQueryError(f'variable "{name}" must be defined')
    return values


@dataclass(slots=True)
class _Planner:
    schema: Schema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def select(
        self,
        parent: str,
        selection_set: SelectionSetNode,
        on: frozenset[str] | None,
        into: list[Selection],
        spreading: tuple[str, ...],
    ) -> None:
        """Add what ``selection_set`` selects on type ``parent`` to ``into``."""
        for node in selection_set.selections:
            if node.directives and not self._included(node.directives):
                continue
            if isinstance(node, FieldNode):
                self._field(parent, node, on, into, spreading)
            else:
                self._fragment(parent, node, on, into, spreading)

    def _field(
        self,
        parent: str,
        node: FieldNode,
        on: frozenset[str] | None,
        into: list[Selection],
        spreading: tuple[str, ...],
    ) -> None:
        name = node.name.value
        key = node.alias.value if node.alias else name
        if name.startswith("__"):
            if name not in ({"__typename", "__schema", "__type"} if parent == "Query" else {"__typename"}):
                raise InvalidQueryError(f'Cannot query field "{name}" on type "{parent}".')
            into.append(Selection(key, node, None, {}, on))
            return
        composite = self.schema.composite(parent)
        spec = composite.fields.get(name) if composite else None
        if spec is None:
            raise InvalidQueryError(f'Cannot query field "{name}" on type "{parent}".')
        given = {a.name.value: plain(a.value, self.variables) for a in node.arguments or ()}
        given = {name: value for name, value in given.items() if value is not MISSING}
        values = (
            arguments(given, spec.arguments, self.schema, f'field "{spec}"')
            if given or spec.arguments
            else {}
        )
        selection = self._merged(Selection(key, node, spec, values, on), into)
        returned = spec.type.name
        if node.selection_set is None:
            if returned in self.schema.possible:
                raise InvalidQueryError(
                    f'field "{name}" of type "{spec.type}" must have a selection of subfields'
                )
        elif returned not in self.schema.possible:
            raise InvalidQueryError(
                f'Field "{name}" must not have a selection since type "{spec.type}" has no subfields.'
            )
        else:
            self.select(returned, node.selection_set, None, selection.children, spreading)

    def _merged(self, selection: Selection, into: list[Selection]) -> Selection:
        """Add a selection; if the response has its key already, return that one for its children to join."""
        for other in into:
            if other.key != selection.key or other.on != selection.on:
                continue
            if other.spec is not selection.spec or other.arguments != selection.arguments:
                raise InvalidQueryError(
                    f'Fields "{selection.key}" conflict: they differ in what they select.'
                )
            return other
        into.append(selection)
        return selection

    def _fragment(
        self,
        parent: str,
        node: SelectionNode,
        on: frozenset[str] | None,
        into: list[Selection],
        spreading: tuple[str, ...],
    ) -> None:
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            fragment = self.fragments.get(name)
            if fragment is None:
                raise InvalidQueryError(f'Unknown fragment "{name}".')
            if name in spreading:
                raise InvalidQueryError(f'Cannot spread fragment "{name}" within itself.')
            spreading = (*spreading, name)
            condition, selection_set = fragment.type_condition.name.value, fragment.selection_set
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else parent
            selection_set = node.selection_set
        else:
            raise InvalidQueryError(f"a query cannot select a {node.kind}")
        possible = self.schema.possible.get(condition)
        if possible is None:
            raise InvalidQueryError(f'Unknown type "{condition}".')
        if not possible & self.schema.possible[parent]:
            raise InvalidQueryError(
                f'Fragment cannot be spread here as objects of type "{parent}" '
                f'can never be of type "{condition}".'
            )
        if condition != parent and not possible >= self.schema.possible[parent]:
            on = possible if on is None else on & possible
        self.select(condition, selection_set, on, into, spreading)

    def _included(self, directives: Iterable[DirectiveNode]) -> bool:
        for directive in directives:
            name = directive.name.value
            if name not in {"include", "skip"}:
                raise InvalidQueryError(f'Unknown directive "@{name}".')
            given = {a.name.value: plain(a.value, self.variables) for a in directive.arguments or ()}
            condition = given.get("if", MISSING)
            if not isinstance(condition, bool):
                raise InvalidQueryError(
                    f'Directive "@{name}" argument "if" of type "{type_ref("Boolean!")}" is required.'
                )
            if condition is (name == "skip"):
                return False
        return True
