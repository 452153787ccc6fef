"""Refuses a request body over the limit before anything parses it or holds it whole."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serving.problems import ApiProblem, problem_response

BODY_LIMIT = 1024 * 1024
"""Most bytes in a request body."""
_DISCARD_LIMIT = 32 * BODY_LIMIT
_DISCARD_SECONDS = 1.0


class BodyLimit:
    """ASGI middleware: 413 for a declared or a streamed body over ``limit`` bytes.

    Up to ``limit`` is read here and handed on in one piece; beyond it, what still arrives is thrown away for
    a moment, as a client that is cut off while sending often never sees the answer; then the connection is
    closed.
    """

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = None if _declared(scope) > self._limit else await self._read(receive)
        if body is None:
            if not _awaits_permission(scope):
                await _discard(receive)
            refusal = problem_response(
                scope,
                ApiProblem(413, "body_too_large", f"The body is over the limit of {self._limit} bytes."),
                headers={"connection": "close"},
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> list[Message] | None:
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self._limit:
                return None
            if message["type"] != "http.request" or not message.get("more_body", False):
                return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    pending = iter(messages)

    async def replayed() -> Message:
        for message in pending:
            return message
        return await receive()

    return replayed


async def _discard(receive: Receive) -> None:
    left = _DISCARD_LIMIT
    with anyio.move_on_after(_DISCARD_SECONDS):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return


def _declared(scope: Scope) -> int:
    value = _header(scope, b"content-length")
    return int(value) if value.isdigit() else 0


def _awaits_permission(scope: Scope) -> bool:
    return _header(scope, b"expect").lower() == b"100-continue"


def _header(scope: Scope, name: bytes) -> bytes:
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")
