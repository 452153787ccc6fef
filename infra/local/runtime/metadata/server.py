"""Serves http://metadata.google.internal inside an instance.

https://cloud.google.com/run/docs/container-contract#metadata-server
"""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import httptools

from infra.local.runtime.metadata.identity import Identity

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
CERTIFICATES = "/oauth2/v3/certs"
_ROOT = "/computeMetadata/v1/"
_MOST = 16 << 10  # bytes of a request

Tree = dict[str, "Tree | str"]


@dataclass(frozen=True, slots=True)
class Self:
    """What an instance may know of itself."""

    project: str
    number: str
    region: str
    instance: str
    account: str


class Metadata:
    """Answers for one instance."""

    def __init__(self, who: Self, identity: Identity) -> None:
        self._who = who
        self._identity = identity

    def answer(self, method: str, url: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, media type and body; names of `headers` are lower case."""
        parts = urlsplit(url)
        path, query = unquote(parts.path), parse_qs(parts.query)
        if path == CERTIFICATES:
            return 200, "application/json", json.dumps(self._identity.jwks()).encode()
        if path == "/":
            return 200, "application/text", b"computeMetadata/\n"
        if headers.get("metadata-flavor") != "Google" or "x-forwarded-for" in headers:
            return 403, "text/html", b"Missing required header: Metadata-Flavor: Google\n"
        if method != "GET":
            return 405, "text/html", b"Only GET is served here\n"
        if not path.startswith(_ROOT):
            return 404, "text/html", b"Not found\n"
        return self._value(path.removeprefix(_ROOT), query)

    def _value(self, path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        match path.strip("/").split("/"):
            case ["instance", "service-accounts", name, "token"] if self._is(name):
                token, seconds = self._identity.access_token(self._who.account)
                body = {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}
                return 200, "application/json", json.dumps(body).encode()
            case ["instance", "service-accounts", name, "identity"] if self._is(name):
                audience = query.get("audience", [""])[0]
                if not audience:
                    return 400, "text/html", b"non-empty audience parameter required\n"
                return 200, "text/html", self._identity.id_token(self._who.account, audience).encode()
        return self._plain(path, recursive=query.get("recursive", [""])[0].lower() == "true")

    def _plain(self, path: str, *, recursive: bool) -> tuple[int, str, bytes]:
        found: Tree | str | None = self._tree()
        for name in path.strip("/").split("/"):
            found = found.get(name) if isinstance(found, dict) and name else found
        if found is None:
            return 404, "text/html", b"Not found\n"
        if isinstance(found, str):
            return 200, "application/text", found.encode()
        if recursive:
            return 200, "application/json", json.dumps(_camel(found)).encode()
        names = (f"{name}/" if isinstance(value, dict) else name for name, value in sorted(found.items()))
        return 200, "application/text", "".join(f"{name}\n" for name in names).encode()

    def _is(self, name: str) -> bool:
        return name in {"default", self._who.account}

    def _tree(self) -> Tree:
        who = self._who
        account: Tree = {"aliases": "default", "email": who.account, "scopes": "\n".join(SCOPES)}
        return {
            "instance": {
                "id": who.instance,
                "region": f"projects/{who.number}/regions/{who.region}",
                "zone": f"projects/{who.number}/zones/{who.region}-1",
                "service-accounts": {"default": account, who.account: account},
            },
            "project": {"project-id": who.project, "numeric-project-id": who.number},
            "universe": {"universe-domain": "googleapis.com", "universe_domain": "googleapis.com"},
        }


def _camel(value: Tree | str) -> object:
    """Names as the JSON form has them; aliases and scopes are lists there."""
    if isinstance(value, str):
        return value
    made: dict[str, object] = {}
    for name, inner in value.items():
        if name in {"aliases", "scopes"} and isinstance(inner, str):
            made[name] = inner.split("\n")
        else:
            first, *rest = name.split("-") if "@" not in name else [name]
            made["".join((first, *(part.capitalize() for part in rest)))] = _camel(inner)
    return made


class Connection(asyncio.Protocol):
    """A connection from inside an instance."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._heard = _MOST + 1
        if self._heard > _MOST and self._transport is not None:
            self._transport.abort()

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._url, self._headers = b"", {}

    def on_url(self, part: bytes) -> None:
        """Called by the parser."""
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._heard = 0
        method = self._parser.get_method().decode()
        status, kind, body = self._metadata.answer(method, self._url.decode("latin-1"), self._headers)
        keep = self._parser.should_keep_alive()
        head = (
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\nMetadata-Flavor: Google\r\n"
            f"Server: Metadata Server for VM\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        if self._transport is not None:
            self._transport.write(head.encode() + body)
            if not keep:
                self._transport.close()
