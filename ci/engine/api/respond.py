"""Answers one GraphQL request: from the text of a query to the bytes of a response."""

import copy
import dataclasses
import json
import sys
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql.error import GraphQLError

from ci.engine.api.coerce import whole
from ci.engine.api.execute import Executor, FieldErrors
from ci.engine.api.introspect import Introspection
from ci.engine.api.plan import InvalidQueryError, Plan, deep_recursion, explained, parsed, planned
from ci.engine.api.registry import Registry
from ci.engine.errors import EngineError
from ci.engine.modules.client import Client

if TYPE_CHECKING:
    from graphql.language import DocumentNode

    from ci.engine.api.source import SchemaSource
    from ci.engine.modules.schema.extended import ExtendedSource
    from ci.engine.session import Session

REMEMBERED = 256  # plans of recent queries


@dataclass(frozen=True, slots=True)
class Request:
    """A GraphQL request, as it is sent in JSON."""

    query: str
    operation: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: Any) -> "Request":
        """Read a request.

        Raises:
            InvalidQueryError: it has no query, or something in it is of the wrong type.
        """
        if not isinstance(document, dict) or not isinstance(document.get("query"), str):
            raise InvalidQueryError('a request is a JSON object with a string "query"')
        operation, variables = document.get("operationName"), document.get("variables")
        if not isinstance(operation, str | None):
            raise InvalidQueryError('"operationName" must be a string')
        if not isinstance(variables, dict | None):
            raise InvalidQueryError('"variables" must be an object')
        return cls(document["query"], operation, variables or {})


@dataclass(frozen=True, slots=True)
class Response:
    """What is sent back: an HTTP status and a JSON body."""

    status: int
    body: bytes

    @classmethod
    def of(cls, document: Mapping[str, Any], status: int = 200) -> "Response":
        """Encode a document; what is no text (bytes that were not UTF-8) comes out as U+FFFD."""
        with deep_recursion():  # in C, but for no more levels than the query has
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return cls(status, whole(text).encode())

    @classmethod
    def error(cls, message: str, status: int = 200) -> "Response":
        """A response that is one error, about the request as a whole."""
        return cls.of({"errors": [{"message": message}], "data": None}, status)


class Api:
    """Dagger's API, served to one client of a session."""

    def __init__(
        self,
        source: "SchemaSource | ExtendedSource",
        registry: Registry,
        session: "Session",
        client: Client | None = None,
    ) -> None:
        client = client or Client()
        introspection = Introspection(lambda: source.introspection)
        self._executor = Executor(source.schema, registry, session, introspection, client)
        self._source = source
        self._plans: OrderedDict[tuple[str, str | None], Plan] = OrderedDict()
        self._introspected: dict[tuple[str, str | None], Response] = {}
        client.api = self

    def show(self, source: "SchemaSource | ExtendedSource") -> None:
        """Serve another schema from now on."""
        introspection = Introspection(lambda: source.introspection)
        self._executor = dataclasses.replace(
            self._executor, schema=source.schema, introspection=introspection
        )
        self._source = source
        self._plans, self._introspected = OrderedDict(), {}  # those that there were may be others' too

    def serving(self, client: Client) -> "Api":
        """The same schema (and what is remembered of queries to it), served to another client."""
        other = copy.copy(self)
        other.turn_to(client)
        return other

    def turn_to(self, client: Client) -> None:
        """Serve this client from now on."""
        self._executor = dataclasses.replace(self._executor, client=client)
        client.api = self

    async def answer(self, request: Request) -> Response:
        """Answer a request; whatever goes wrong is in the response."""
        key = (request.query, request.operation)
        if not request.variables and key in self._introspected:
            return self._introspected[key]
        try:
            plan = self._plan(request)
        except InvalidQueryError as error:
            formatted = [e.formatted for e in error.errors] or [{"message": error.message}]
            failed = [{**e, "extensions": {"code": error.code}} for e in formatted]
            return Response.of({"errors": failed, "data": None}, 422)
        try:
            data = await self._executor.execute(plan)
        except FieldErrors as error:
            return Response.of({"errors": list(_formatted(error)), "data": None})
        response = Response.of({"data": data})
        if all(s.spec is None for s in plan.selections) and not request.variables:
            self._introspected[key] = response
        return response

    def _plan(self, request: Request) -> Plan:
        key = (request.query, request.operation)
        if not request.variables and (plan := self._plans.get(key)):
            self._plans.move_to_end(key)
            return plan
        document = parsed(request.query)
        try:
            plan = planned(document, self._executor.schema, request.operation, request.variables)
        except InvalidQueryError as error:
            raise InvalidQueryError(error.message, self._explained(document)) from None
        if not request.variables:
            self._plans[key] = plan
            if len(self._plans) > REMEMBERED:
                self._plans.popitem(last=False)
        return plan

    def _explained(self, document: "DocumentNode") -> list[GraphQLError]:
        try:
            return explained(document, self._source.graphql)
        except RecursionError:  # graphql-core's rules recurse; the planner's own words have to do
            return []


def _formatted(error: FieldErrors) -> Iterator[dict[str, Any]]:
    for cause, path in error.errors:
        for leaf in _leaves(cause):
            yield _field_error(leaf) | {"path": list(path)}


def _field_error(error: BaseException) -> dict[str, Any]:
    if isinstance(error, EngineError):
        extensions = dict(error.extensions)
        return {"message": error.message} | ({"extensions": extensions} if extensions else {})
    traceback.print_exception(error, file=sys.stderr)
    return {"message": f"internal error: {type(error).__name__} (the engine's log has the details)"}


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
