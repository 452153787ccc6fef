"""One request on its way to an instance, and the response on its way back, both as streams."""

import asyncio
import enum
from typing import Protocol

from infra.local.traffic.request import Fields, Request, kept
from infra.local.traffic.upstream import Upstream


class Ending(enum.Enum):
    """How an exchange ended: `STALE` before a byte of the response, `CUT` in the middle of it."""

    DONE = enum.auto()
    STALE = enum.auto()
    CUT = enum.auto()


class Client(Protocol):
    """Whoever the response goes to."""

    def write(self, data: bytes) -> None:
        """Send when all that arrived at once is there."""

    def flush(self) -> None:
        """Send now."""

    def hold(self, *, full: bool) -> None:
        """Take no more from the client for a while, or again."""

    def tunnel(self) -> None:
        """From here on, hand on bytes as they come."""


class Exchange:
    """Carries one request over a connection; a Receiver of its response.

    `added` are fields that the response gets. After run(), `status` and `sent` (bytes of body) say what the
    client was sent.
    """

    def __init__(self, request: Request, client: Client, added: Fields) -> None:
        self.status = 0
        self.sent = 0
        self.began = False
        self._request = request
        self._client = client
        self._added = added
        self._chunked = False
        self._tunnel = False
        self._upstream: Upstream | None = None
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def run(self, upstream: Upstream, head: bytes, early: bytes = b"") -> Ending:
        """Carry the request over `upstream`; `early` follows its head. Cancelling leaves the rest unread."""
        self._upstream = upstream
        request = self._request
        if request.expects_continue and not request.complete and not request.body:
            self._client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._client.flush()
        pieces = [head, early]
        pieces += [self._framed(chunk) for chunk in request.body]
        if request.complete and request.chunked:
            pieces.append(b"0\r\n\r\n")
        if not request.complete:
            request.body.clear()
            request.on_body, request.on_end = self._upload, self._uploaded
            self._client.hold(full=False)  # it may have had to wait until its body has somewhere to go
        upstream.ask(self, b"".join(pieces))
        try:
            return await self._ended
        finally:
            request.on_body = request.on_end = None
            self._client.hold(full=False)

    def throttle(self, *, full: bool) -> None:
        """The client takes no more at the moment, or again."""
        if self._upstream is not None and not self._upstream.closed:
            if full:
                self._upstream.transport.pause_reading()
            else:
                self._upstream.transport.resume_reading()

    def relay(self, data: bytes) -> None:
        """Hand on what a client sent through the tunnel."""
        if self._upstream is not None and not self._upstream.closed:
            self._upstream.transport.write(data)

    def head(self, status: int, reason: bytes, fields: Fields) -> bool:
        """The response's head came; whether its body does, too."""
        if status == 101 and not self._request.websocket:
            self._refuse()
            return True
        self.status, self.began = status, True
        lines = [b"HTTP/1.1 %d %s" % (status, reason)]
        lines += [b"%s: %s" % each for each in kept(fields) if each[0] != b"server"]
        lines += [b"%s: %s" % each for each in self._added]
        lines.append(b"server: Google Frontend")
        if status == 101:
            self._tunnel = True
            lines += [b"connection: Upgrade", b"upgrade: websocket"]
        bodiless = self._request.method == b"HEAD" or status in {101, 204, 304}
        if not bodiless and not any(name == b"content-length" for name, _ in fields):
            if self._request.version == "1.1":
                self._chunked = True
                lines.append(b"transfer-encoding: chunked")
            else:
                self._request.keep_alive = False
        if not self._tunnel and not (self._request.keep_alive and self._request.complete):
            self._request.keep_alive = False
            lines.append(b"connection: close")
        elif self._request.version == "1.0":
            lines.append(b"connection: keep-alive")
        self._client.write(b"\r\n".join([*lines, b"", b""]))
        if self._tunnel:
            self._client.tunnel()
        return self._request.method != b"HEAD"

    def body(self, chunk: bytes) -> None:
        """A piece of the response's body came."""
        self.sent += len(chunk)
        self._client.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if self._chunked else chunk)

    def end(self) -> None:
        """The response is complete."""
        if self._chunked:
            self._client.write(b"0\r\n\r\n")
        if not self._ended.done():
            self._ended.set_result(Ending.DONE)

    def lost(self) -> None:
        """The instance went away."""
        if not self._ended.done():
            tunnel_ended = Ending.DONE if self._tunnel else Ending.CUT
            self._ended.set_result(tunnel_ended if self.began else Ending.STALE)

    def flush(self) -> None:
        """Send the client what came."""
        self._client.flush()

    def hold(self, *, full: bool) -> None:
        """The instance takes no more of the body, or again."""
        self._client.hold(full=full)

    def _refuse(self) -> None:
        """The instance switches to a protocol that nobody asked for."""
        self.lost()
        if self._upstream is not None:
            self._upstream.close()

    def _framed(self, chunk: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(chunk), chunk) if self._request.chunked else chunk

    def _upload(self, chunk: bytes) -> None:
        self.relay(self._framed(chunk))

    def _uploaded(self) -> None:
        if self._request.chunked:
            self.relay(b"0\r\n\r\n")
