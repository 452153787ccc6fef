"""One connection to the metadata server: HTTP/1.1 as its clients speak it."""

import asyncio

import httptools

from infra.local.runtime.metadata.server import Answer, Metadata

_MOST = 16 << 10  # bytes of a request


class Connection(asyncio.Protocol):
    """A connection from an instance to its metadata."""

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
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # a ValueError below is one, too
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
        answer = self._metadata.answer(method, self._url.decode("latin-1"), self._headers)
        keep = self._parser.should_keep_alive()
        if self._transport is not None:
            self._transport.write(_written(answer, bodiless=method == "HEAD", keep=keep))
            if not keep:
                self._transport.close()


def _written(answer: Answer, *, bodiless: bool, keep: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        "Metadata-Flavor: Google",
        "Server: Metadata Server for Serverless",
        f"Content-Type: {answer.kind}",
        f"Content-Length: {len(answer.body)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in answer.fields),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (b"" if bodiless else answer.body)
