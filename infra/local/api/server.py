"""The ASGI application that answers Google's APIs: finds the method, reads the request, writes the answer."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

from infra.local.api.definition import Rpc
from infra.local.api.errors import ApiError, invalid, not_found
from infra.local.api.transcode import enums_as_numbers, read_request, write_message

MAX_BODY = 10 << 20
_LOG = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Any], Awaitable[Any]]


class Guard(Protocol):
    """Decides who may call a method; raises ApiError (401, 403, 429)."""

    def __call__(self, rpc: Rpc, path: MutableMapping[str, str], authorization: str | None) -> None:
        """Let the request through, or raise."""


class Api:
    """Serves methods by handlers: objects that have an async method for each, named as in Google's client.

    `serve("google.cloud.run.v2.Services", services)` makes `services.create_service(request)` answer
    CreateService. A method without a handler answers UNIMPLEMENTED and says its name.
    """

    def __init__(self, definitions: Iterable[Rpc], guard: Guard | None = None) -> None:
        self._routes: dict[str, list[Rpc]] = {}
        self._handlers: dict[str, Handler] = {}
        self._guard = guard
        self._methods = sorted(definitions, key=lambda rpc: rpc.template.weight, reverse=True)
        for rpc in self._methods:
            self._routes.setdefault(rpc.verb, []).append(rpc)

    def serve(self, service: str, handlers: object, api: str = "") -> None:
        """Answer the methods of a service; `api` limits it to one of several that mix it in."""
        for rpc in self._methods:
            if rpc.service == service and rpc.api.startswith(api):
                handler = getattr(handlers, rpc.attribute, None)
                if handler is not None:
                    self._handlers[f"{rpc.api}/{rpc.full_name}"] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        query = scope["query_string"].decode("latin-1")
        numbers = enums_as_numbers(query)
        try:
            rpc, path = self._find(scope["method"], _path(scope))
            if self._guard is not None:
                self._guard(rpc, path, _header(scope, b"authorization"))
            body = await _body(receive)
            request = read_request(rpc, path, query, body)
            answer = await self._handler(rpc)(request)
            status, content = 200, write_message(answer, numbers=numbers)
        except ApiError as error:
            status, content = error.http, _json(error)
        except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # a client gets an answer
            _LOG.exception("%s %s", scope["method"], scope["path"])
            status, content = 500, _json(ApiError("INTERNAL", "Internal error encountered."))
        await _respond(send, status, content, head=scope["method"] == "HEAD")

    def _find(self, verb: str, path: str) -> tuple[Rpc, dict[str, str]]:
        for rpc in self._routes.get(verb, ()):
            fields = rpc.template.match(path)
            if fields is not None:
                return rpc, fields
        raise not_found("Method not found.")

    def _handler(self, rpc: Rpc) -> Handler:
        try:
            return self._handlers[f"{rpc.api}/{rpc.full_name}"]
        except KeyError:
            raise ApiError(
                "UNIMPLEMENTED", f"Method {rpc.full_name} is not served by the local cloud."
            ) from None


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
