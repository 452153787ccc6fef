"""Resources of the APIs whose messages are JSON objects: stored, listed by page, changed by mask."""

import copy
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from infra.local.api.discovery import Request
from infra.local.api.errors import invalid, not_found
from infra.local.api.schema import snake
from infra.local.state import Shelf, Store
from infra.local.state.shelf import BadToken

Json = dict[str, Any]
_OPERATION = "json-operation"


@dataclass(frozen=True, slots=True)
class _Document:
    """What a shelf keeps: a name and a JSON object."""

    name: str
    body: Json

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        """Of what serialize() made."""
        return cls(*json.loads(data))

    @staticmethod
    def serialize(document: "_Document") -> bytes:
        """The document as bytes."""
        return json.dumps([document.name, document.body]).encode()


class Documents:
    """The resources of one kind, by full name."""

    def __init__(self, store: Store, kind: str) -> None:
        self._shelf = Shelf(store, kind, _Document)

    def get(self, name: str) -> Json | None:
        """The resource, a copy of one's own."""
        found = self._shelf.get(name)
        return None if found is None else found.body

    def put(self, name: str, body: Json) -> Json:
        """Store a resource, new or in place of the one of its name; gives it back."""
        self._shelf.put(_Document(name, body))
        return body

    def remove(self, name: str) -> None:
        """Forget a resource."""
        self._shelf.remove(name)

    def remove_under(self, name: str) -> None:
        """Forget all resources inside of another one."""
        self._shelf.remove_under(name)

    def all(self, above: str) -> Iterator[Json]:
        """Every resource in `above`, oldest first."""
        return (document.body for document in self._shelf.all(above))

    def page(self, above: str, parameters: Mapping[str, Any], items: str) -> Json:
        """The answer of a list method: a page under the name `items`, and the next one's token.

        Raises ApiError, 400.
        """
        size, token = check_page(parameters), parameters.get("pageToken", "")
        try:
            page = self._shelf.page(above, size, token)
        except BadToken as error:
            raise invalid("Page token is invalid.", [("page_token", "Page token is invalid.")]) from error
        answer: Json = {}
        if page.bodies:
            answer[items] = [_Document.deserialize(body).body for body in page.bodies]
        if page.next_token:
            answer["nextPageToken"] = page.next_token
        return answer


class Operations:
    """Long-running operations that are done at once; the methods on them for any of the JSON APIs."""

    def __init__(self, store: Store) -> None:
        self._documents = Documents(store, _OPERATION)

    def done(self, name: str, response: Json, kind: str, metadata: Json | None = None) -> Json:
        """A new operation with its response, a message of the type `kind` ("google.iam.v1beta.X")."""
        operation: Json = {"name": name, "done": True}
        if metadata is not None:
            operation["metadata"] = metadata
        operation["response"] = {"@type": f"type.googleapis.com/{kind}", **response}
        return self._documents.put(name, operation)

    async def get(self, request: Request) -> Json:
        """The operation."""
        name = request.parameters["name"]
        operation = self._documents.get(name)
        if operation is None:
            raise not_found(f"Operation not found: {name}")
        return operation

    async def list(self, request: Request) -> Json:
        """A page of the operations that have no parent."""
        return self._documents.page("", request.parameters, "operations")

    async def delete(self, request: Request) -> None:
        """Nobody wants to hear how it ended."""
        await self.get(request)
        self._documents.remove(request.parameters["name"])

    async def cancel(self, request: Request) -> None:
        """It is done already, so there is nothing to cancel."""
        await self.get(request)


def merged(current: Json, given: Json, mask: str | None, fixed: Sequence[str] = ()) -> Json:
    """The current message with the fields of a mask as given ("a,b.c"); without one, those that were given.

    `fixed` are the fields that stay as they are. Raises ApiError, 400, for a path through what is no message.
    """
    wanted = copy.deepcopy(current)
    paths = [path.strip() for path in mask.split(",") if path.strip()] if mask else list(given)
    if "*" in paths:
        paths = sorted({*current, *given})
    for path in paths:
        parts = [camel(part) for part in path.split(".")]
        if parts[0] not in fixed:
            _merge(wanted, given, parts, path)
    return wanted


def _merge(target: Json, source: Json, parts: Sequence[str], path: str) -> None:
    """Have one field as the source has it; nothing is made for one that neither has."""
    *parents, last = parts
    for part in parents:
        given, current = source.get(part, {}), target.get(part, {})
        if not isinstance(given, dict) or not isinstance(current, dict):
            text = f"Invalid field path '{path[:200]}' in update_mask."
            raise invalid(text, [("update_mask", text)])
        if part not in target and not given:
            return
        source, target = given, target.setdefault(part, {})
    if last in source:
        target[last] = copy.deepcopy(source[last])
    else:
        target.pop(last, None)


def check_mask(mask: str | None, known: Sequence[str]) -> None:
    """Raise ApiError, 400, for an update mask with a field that is none of `known` (in camel case)."""
    for path in (mask or "").split(","):
        first = path.strip().partition(".")[0]
        if first not in {"", "*"} and camel(first) not in known:
            text = f"Invalid field path '{path[:200]}' in update_mask."
            raise invalid(text, [("update_mask", text)])


def check_page(parameters: Mapping[str, Any]) -> int:
    """The page size that is asked for, 0 for none. Raises ApiError, 400."""
    size = int(parameters.get("pageSize", 0))
    if size < 0:
        raise invalid("The page size is negative.", [("page_size", "The page size must not be negative.")])
    return size


def page_of(found: Sequence[Json], parameters: Mapping[str, Any], items: str, default: int = 500) -> Json:
    """A page of what was found, as the answer of a list method; its token is how many there were before.

    Raises ApiError, 400.
    """
    size, token = check_page(parameters) or default, parameters.get("pageToken", "") or "0"
    if not token.isascii() or not token.isdecimal() or len(token) > 9:
        raise invalid("Page token is invalid.", [("page_token", "Page token is invalid.")])
    start = int(token)
    answer: Json = {items: list(found[start : start + size])}
    if len(found) > start + size:
        answer["nextPageToken"] = str(start + size)
    return answer


def camel(name: str) -> str:
    """A field's name in JSON, of it in Python's form or in JSON's."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name) if snake(name) == name else name


def timestamp(later: timedelta = timedelta(0)) -> str:
    """The time now, or later, as messages have it."""
    moment = datetime.now(UTC) + later
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_id() -> str:
    """An id for an operation: digits and letters."""
    return secrets.token_hex(12)
