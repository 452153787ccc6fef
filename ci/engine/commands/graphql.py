"""Asks a session by GraphQL, and tells its errors."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ci.engine.connection import CLIENT, Connection, client_header


@dataclass(frozen=True, slots=True)
class Fault:
    """One of the errors that are an answer; ``details`` are its extensions, ``path`` the field it has."""

    message: str
    path: tuple[str | int, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


class QueryError(Exception):
    """The query could not be sent, or its answer is errors; each argument is a message."""

    def __init__(self, *messages: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(*messages)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(self.args)


class Client:
    """A client of a session, as a context manager: its connection is closed when the block is left."""

    def __init__(self, connection: Connection) -> None:
        token = base64.b64encode(f"{connection.token}:".encode()).decode()
        self._headers = {
            "authorization": f"Basic {token}",
            "content-type": "application/json",
            CLIENT: client_header(),
        }
        self._port = connection.port
        self._http = http.client.HTTPConnection("127.0.0.1", connection.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> dict[str, Any]:
        """Return the data that answers a query.

        Raises:
            QueryError: an error is the answer, or there is none.
        """
        answer = self._post({"query": query, "operationName": operation, "variables": variables or {}})
        if errors := answer.get("errors"):
            faults = [
                Fault(each["message"], tuple(each.get("path") or ()), each.get("extensions") or {})
                for each in errors
            ]
            raise QueryError(*(fault.message for fault in faults), faults=tuple(faults))
        found: dict[str, Any] = answer["data"]
        return found

    def _post(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            self._http.request("POST", "/query", json.dumps(request), self._headers)
            response = self._http.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise QueryError(f"no answer from the session at port {self._port}: {error}") from None
        try:
            answer: dict[str, Any] = json.loads(body)
        except ValueError:
            raise QueryError(f"the session at port {self._port} answered HTTP {response.status}") from None
        return answer
