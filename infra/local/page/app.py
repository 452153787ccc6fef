"""The cloud's own paths beside Google's: the page at /, /local/overview as JSON, /metrics for Prometheus."""

import json
from collections.abc import Mapping
from pathlib import Path

import jinja2
from anyio import to_thread

from infra.local.api.server import Scope, Send
from infra.local.control.logging import Logs
from infra.local.control.logging.query import Query
from infra.local.control.names import last, place_of
from infra.local.page.lines import LogLine, line
from infra.local.page.overview import Overview, Sight

_LINES = 40
_HTML, _JSON = b"text/html; charset=utf-8", b"application/json"
_SCRIPT, _PROMETHEUS = b"text/javascript; charset=utf-8", b"text/plain; version=1.0.0; charset=utf-8"
#: Nothing of a page comes from elsewhere, and no other site may show it in a frame or act through it.
_POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    b"frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
PATHS = frozenset(("/", "/local/overview", "/local/refresh.js", "/metrics"))


class Page:
    """Answers the paths in PATHS; `addresses` are shown at the top."""

    def __init__(self, sight: Sight, logs: Logs, addresses: Mapping[str, str]) -> None:
        self._sight = sight
        self._logs = logs
        self._addresses = addresses

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answer a request for one of the paths (ASGI)."""
        if scope["method"] not in {"GET", "HEAD"}:
            await _respond(send, 405, b"text/plain", b"Method Not Allowed\n", head=False)
            return
        match scope["path"]:
            case "/local/overview":
                kind, body = _JSON, json.dumps(self._sight.overview().as_json()).encode()
            case "/local/refresh.js":
                kind, body = _SCRIPT, (Path(__file__).parent / "templates/refresh.js").read_bytes()
            case "/metrics":
                metrics = self._sight.metrics
                kind, body = _PROMETHEUS, b"" if metrics is None else metrics.exposition()
            case _:
                overview = self._sight.overview(await self._lines())
                kind, body = _HTML, render(overview, self._addresses).encode()
        await _respond(send, 200, kind, body, head=scope["method"] == "HEAD")

    async def _lines(self) -> dict[str, tuple[LogLine, ...]]:
        """The newest log lines of each service."""
        names = [service.name for service in self._sight.shelves.services.all()]
        return {name: await to_thread.run_sync(self._newest, name) for name in names}

    def _newest(self, service: str) -> tuple[LogLine, ...]:
        place = place_of(service)
        query = Query(
            f"resource.labels.service_name={json.dumps(last(service))} "
            f"AND resource.labels.location={json.dumps(place.location)}"
        )
        found = self._logs.page([place.project], query, _LINES, newest_first=True)
        return tuple(line(entry) for entry in reversed(found.entries))


def render(overview: Overview, addresses: Mapping[str, str]) -> str:
    """The page as HTML."""
    return _TEMPLATES.get_template("page.html").render(cloud=overview, addresses=addresses)


async def _respond(send: Send, status: int, kind: bytes, body: bytes, *, head: bool) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
