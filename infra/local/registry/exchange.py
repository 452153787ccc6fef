"""One request and its answer, as little of ASGI as a registry needs."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from infra.local.api.server import Receive, Scope, Send
from infra.local.registry.errors import RegistryError

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `body` is all of it, or yields it where it is long (`length` bytes then)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""
    length: int = -1


class Request:
    """A request: `query` has the last of each parameter."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self.headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        self._receive = receive

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ClientGone."""
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientGone
            if part := event.get("body", b""):
                yield part
            if not event.get("more_body"):
                return

    async def read(self, most: int) -> bytes:
        """All of a body. Raises RegistryError (SIZE_INVALID) past `most` bytes, ClientGone."""
        parts, size = [], 0
        async for part in self.chunks():
            size += len(part)
            if size <= most:
                parts.append(part)
        if size > most:
            raise RegistryError("SIZE_INVALID", f"the manifest is larger than {most} bytes")
        return b"".join(parts)

    def number(self, name: str) -> int | None:
        """A parameter that is a number. Raises RegistryError (PAGINATION_NUMBER_INVALID)."""
        text = self.query.get(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise RegistryError("PAGINATION_NUMBER_INVALID", f"invalid number of results {text[:40]!r}")
        return int(text)

    def range(self, size: int) -> tuple[int, int] | None:
        """First byte and the one past the last that are asked for, of `size`; None for all.

        Raises RegistryError, 416, when there are none of them. Several ranges are answered with everything.
        """
        found = _RANGE.fullmatch(self.headers.get("range", ""))
        if found is None or found.groups() == ("", ""):
            return None
        first, last = found.groups()
        if not first:
            start, end = max(0, size - int(last)), size
        else:
            start, end = int(first), min(size, int(last) + 1) if last else size
            if last and int(last) < start:
                return None
        if start >= end:
            raise RegistryError("SIZE_INVALID", f"the range is not within {size} bytes", status=416)
        return start, end


async def respond(send: Send, response: Response, *, head: bool) -> None:
    """Send an answer; of one to HEAD only what comes before the body."""
    body = response.body
    length = len(body) if isinstance(body, bytes) and response.length < 0 else response.length
    headers = {"docker-distribution-api-version": "registry/2.0", **response.headers}
    if response.status != 204:
        headers["content-length"] = str(length)
    listed = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": listed})
    if not head and not isinstance(body, bytes):
        async for part in body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": b"" if head or not isinstance(body, bytes) else body})
