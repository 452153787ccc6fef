"""The ASGI application that answers Google's APIs: finds the method, reads the request, writes the answer."""

import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from infra.local.api.definition import Rpc
from infra.local.api.discovery import Method, read_call
from infra.local.api.errors import ApiError, invalid, not_found
from infra.local.api.partial import Selection, invalid_fields, paths, select, selection
from infra.local.api.transcode import enums_as_numbers, read_request, write_message

MAX_BODY = 10 << 20
_LOG = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Any], Awaitable[Any]]
Definition = Rpc | Method


class Guard(Protocol):
    """Decides who may call a method; raises ApiError (401, 403, 429).

    It is called before a message is read, and is told what the message is `about` before it is answered.
    """

    def __call__(self, rpc: Definition, path: MutableMapping[str, str], authorization: str | None) -> None:
        """Let the request through, or raise."""

    def about(self, rpc: Definition, path: MutableMapping[str, str], body: Mapping[str, Any]) -> None:
        """Let a message of a discovery document's method through, or raise; {} stands for any other."""


class Api:
    """Serves methods by handlers: objects that have an async method for each, named as in Google's client.

    `serve("google.cloud.run.v2.Services", services)` makes `services.create_service(request)` answer
    CreateService. `serve("iam.v1.projects.serviceAccounts", accounts)` does so for a discovery document's
    resource, whose methods take a `discovery.Request` and answer a JSON object, or None for an empty one.
    A method without a handler answers UNIMPLEMENTED and says its name.
    """

    def __init__(self, definitions: Iterable[Definition], guard: Guard | None = None) -> None:
        self._routes: dict[tuple[str, str, str], list[Definition]] = {}
        self._handlers: dict[str, Handler] = {}
        self._guard = guard
        self._methods = sorted(definitions, key=lambda rpc: rpc.template.weight, reverse=True)
        for rpc in self._methods:
            first, second = _head(rpc.template.plain)
            self._routes.setdefault((rpc.verb, first, second), []).append(rpc)

    def serve(self, service: str, handlers: object, api: str = "") -> None:
        """Answer the methods of a service; `api` limits it to one of several that mix it in."""
        for rpc in self._methods:
            if rpc.service == service and rpc.api.startswith(api):
                handler = getattr(handlers, rpc.attribute, None)
                if handler is not None:
                    self._handlers[self._key(rpc)] = handler

    def serves(self, rpc: Definition) -> bool:
        """Whether a method has a handler."""
        return self._key(rpc) in self._handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        query = scope["query_string"].decode("latin-1")
        try:
            rpc, path = self._find(scope["method"], _path(scope))
            if self._guard is not None:
                self._guard(rpc, path, _header(scope, b"authorization"))
            wanted = _selection(rpc, query)
            body = await _body(receive)
            status, content = 200, await self._answer(rpc, path, query, body)
            content = _shaped(content, query, wanted)
        except sqlite3.OperationalError as error:
            # Of a disk that is full, above all. The transaction is undone, so nothing is half there.
            unable = ApiError("UNAVAILABLE", f"The local cloud can't write its state now: {error}.")
            status, content = unable.http, _json(unable)
        except ApiError as error:
            status, content = error.http, _json(error)
        except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # a client gets an answer
            _LOG.exception("%s %s", scope["method"], scope["path"])
            status, content = 500, _json(ApiError("INTERNAL", "Internal error encountered."))
        await _respond(send, status, content, head=scope["method"] == "HEAD")

    async def _answer(
        self, rpc: Definition, path: MutableMapping[str, str], query: str, body: bytes
    ) -> bytes:
        if isinstance(rpc, Method):
            call = read_call(rpc, path, query, body)
            self._about(rpc, path, call.body)
            return json.dumps(await self._handler(rpc)(call) or {}, ensure_ascii=False).encode()
        request = read_request(rpc, path, query, body)
        self._about(rpc, path, {})
        return write_message(await self._handler(rpc)(request), numbers=enums_as_numbers(query))

    def _about(self, rpc: Definition, path: MutableMapping[str, str], body: Mapping[str, Any]) -> None:
        if self._guard is not None:
            self._guard.about(rpc, path, body)

    def _find(self, verb: str, path: str) -> tuple[Definition, dict[str, str]]:
        """The method of a path: of those with the same path in several APIs, the one that is served."""
        found: tuple[Definition, dict[str, str]] | None = None
        first, second = _head(path)
        for head in ((verb, first, second), (verb, first, "*"), (verb, "*", "*")):
            for rpc in self._routes.get(head, ()):
                fields = rpc.template.match(path)
                if fields is None:
                    continue
                if self.serves(rpc):
                    return rpc, fields
                found = found or (rpc, fields)
        if found is None:
            raise not_found("Method not found.")
        return found

    def _handler(self, rpc: Definition) -> Handler:
        try:
            return self._handlers[self._key(rpc)]
        except KeyError:
            raise ApiError(
                "UNIMPLEMENTED", f"Method {rpc.full_name} is not served by the local cloud."
            ) from None

    @staticmethod
    def _key(rpc: Definition) -> str:
        return f"{rpc.api}/{rpc.full_name}"


def _head(path: str) -> tuple[str, str]:
    """The first two segments of a path or a plain template, "*" for one that varies."""
    first, second = (*path.split("/", 3)[1:3], "", "")[:2]
    return ("*", "*") if "*" in first else (first, "*" if "*" in second else second)


def _selection(rpc: Definition, query: str) -> Selection:
    """What the client wants of the answer, {} for all of it."""
    text = parse_qs(query).get("fields", [""])[-1] if "fields=" in query else ""
    wanted = selection(text) if text else {}
    if isinstance(rpc, Method):
        for path in paths(wanted):
            if not rpc.schemas.names(rpc.response, path):
                raise invalid_fields(path)
    return wanted


def _shaped(content: bytes, query: str, wanted: Selection) -> bytes:
    """An answer as the parameters `fields` and `prettyPrint` ask for it."""
    pretty = "prettyPrint=true" in query
    if not wanted and not pretty:
        return content
    answer = select(json.loads(content), wanted)
    return json.dumps(answer, ensure_ascii=False, indent=2 if pretty else None).encode()


def _path(scope: Scope) -> str:
    # Undecoded: a slash that came as %2F is part of a name, not a separator.
    raw = scope.get("raw_path") or scope["path"].encode()
    return str(raw.partition(b"?")[0].decode("latin-1"))


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ApiError("CANCELLED", "The client closed the connection.")
        part = event.get("body", b"")
        size += len(part)
        # What is too much is read to its end, and let go: a client hears nothing before it has sent all.
        if size <= MAX_BODY:
            parts.append(part)
        if not event.get("more_body"):
            break
    if size > MAX_BODY:
        raise invalid(f"Request payload size exceeds the limit: {MAX_BODY} bytes.")
    return b"".join(parts)


def _json(error: ApiError) -> bytes:
    return json.dumps(error.body(), ensure_ascii=False).encode("utf-8", "replace")


async def _respond(send: Send, status: int, content: bytes, *, head: bool) -> None:
    headers = [
        (b"content-type", b"application/json; charset=UTF-8"),
        (b"content-length", str(len(content)).encode()),
        (b"vary", b"Origin, X-Origin, Referer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else content})
