"""The session's HTTP surface: ``POST /query``, open to whoever has the session's token."""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio

from ci.engine.connection import CLIENT, client_named
from ci.engine.errors import EngineError
from ci.engine.trace import HERE, Place

if TYPE_CHECKING:
    from ci.engine.api.respond import Api, Request, Response

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

ENDING = "the session has ended"
BODY_LIMIT = 64 * 1024 * 1024


class _Gone(Exception):
    """The client went away before its request was whole."""


class App:
    """An ASGI application that serves one session's API: by the name of the client that asks, "" for none.

    ``guests`` have a token of their own and see a schema of their own: functions of modules while they run.
    """

    def __init__(
        self, token: str, api: "Callable[[str], Awaitable[Api]]", guests: Mapping[str, "Api"] | None = None
    ) -> None:
        self._token = token
        self._api = api
        self._guests = {} if guests is None else guests
        self._closed = False
        self._requests: set[anyio.CancelScope] = set()
        self._idle = anyio.Event()

    async def close(self) -> None:
        """End the requests in flight: each is answered with an error. Those that come later are, too."""
        self._closed = True
        for scope in self._requests:
            scope.cancel()
        if self._requests:
            await self._idle.wait()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        asker = self._asker(headers)
        if asker is None:
            challenge = (b"www-authenticate", b'Basic realm="Access to the Dagger engine session"')
            await _send(send, 401, b"", challenge)
        elif scope["path"] != "/query":
            await _send(send, 404, b"")
        elif scope["method"] != "POST":
            await _send(send, 405, b"", (b"allow", b"POST"))
        else:
            await self._query(asker, headers, receive, send)

    def _asker(self, headers: Mapping[bytes, bytes]) -> "Callable[[], Awaitable[Api]] | None":
        """What serves those who have the token in a header; None for those who have none."""
        scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
        try:
            user, _, _password = base64.b64decode(credentials, validate=True).partition(b":")
        except binascii.Error:
            return None
        if scheme.lower() != b"basic":
            return None
        if hmac.compare_digest(user, self._token.encode()):
            return partial(self._api, client_named(headers.get(CLIENT.lower().encode(), b"")))
        guest = self._guests.get(user.decode(errors="replace"))
        if guest is None:
            return None

        async def api() -> "Api":
            return guest

        return api

    async def _query(
        self,
        asker: "Callable[[], Awaitable[Api]]",
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
    ) -> None:
        from ci.engine.api.respond import Response

        HERE.set(Place.parse(headers.get(b"traceparent", b"").decode(errors="replace")))
        try:
            body = await _body(headers, receive)
        except _Gone:
            return
        if body is None:
            response: Response | None = Response.error(f"the request is over {BODY_LIMIT >> 20} MiB", 413)
        else:
            response = await self._answered(asker, body, receive)
        if response is not None:
            await _send(send, response.status, response.body)

    async def _answered(
        self, asker: "Callable[[], Awaitable[Api]]", body: bytes, receive: Receive
    ) -> "Response | None":
        """Answer a request, unless its client goes away: then what is done for it alone is cancelled."""
        from ci.engine.api.respond import Request, Response

        try:
            request = Request.from_json(json.loads(body))
        except ValueError as error:
            return Response.error(f"json request body could not be decoded: {error}", 400)
        except RecursionError:
            return Response.error("json request body could not be decoded: nested too deep", 400)
        except EngineError as error:
            return Response.error(error.message, 400)
        response, gone = None, False

        async def watch() -> None:
            nonlocal gone
            while (await receive())["type"] != "http.disconnect":
                pass
            gone = True
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            with self._in_flight(tasks.cancel_scope):
                tasks.start_soon(watch)
                response = await _response(asker, request)
                tasks.cancel_scope.cancel()
        return None if gone else response or Response.error(ENDING)

    @contextmanager
    def _in_flight(self, scope: anyio.CancelScope) -> Iterator[None]:
        self._requests.add(scope)
        if self._closed:
            scope.cancel()
        try:
            yield
        finally:
            self._requests.discard(scope)
            if self._closed and not self._requests:
                self._idle.set()


async def _response(asker: "Callable[[], Awaitable[Api]]", request: "Request") -> "Response":
    from ci.engine.api.respond import Response

    try:
        api = await asker()
    except EngineError as error:
        return Response.error(error.message)
    return await api.answer(request)


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """Return the request's body; None if it is too large."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BODY_LIMIT:
        return None
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    kind = (b"content-type", b"application/json")
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [kind, length, *headers]})
    await send({"type": "http.response.body", "body": body})
