"""Gives every request an id, and counts and times its answer."""

import re
import time
import uuid
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.monitoring.telemetry import Telemetry

HEADER = "x-request-id"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Tracing:
    """ASGI middleware: puts ``request_id`` into the request's state and the answer's header.

    A caller's own id is kept when it is short and plain, so that one id follows a request through several
    services. Paths that are not in ``paths`` are counted together: a scan must not make a series each.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry, paths: Collection[str]) -> None:
        self._app = app
        self._telemetry = telemetry
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        start = time.perf_counter()

        async def traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER.encode(), request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, traced)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._telemetry.requests.labels(path, str(status)).inc()
            self._telemetry.latency.labels(path).observe(time.perf_counter() - start)


def _given(scope: Scope) -> str:
    for name, value in scope["headers"]:
        text = str(value, "latin-1")
        if name == HEADER.encode() and _ACCEPTABLE.fullmatch(text):
            return text
    return ""
