"""The cloud's own paths beside Google's: the page at /, /local/overview as JSON, /metrics for Prometheus."""

import json
from collections.abc import Mapping
from pathlib import Path

import jinja2

from infra.local.api.server import Scope, Send
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

    def __init__(self, sight: Sight, addresses: Mapping[str, str]) -> None:
        self._sight = sight
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
                kind, body = _HTML, render(self._sight.overview(lines=_LINES), self._addresses).encode()
        await _respond(send, 200, kind, body, head=scope["method"] == "HEAD")


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
