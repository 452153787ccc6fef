"""One request on its way to an instance, and the response on its way back, both as streams."""

import asyncio
import enum
from typing import Protocol

from infra.local.traffic.wire.heads import kept
from infra.local.traffic.wire.request import Fields, Request
from infra.local.traffic.wire.upstream import Upstream

_SERVER = b"server: Google Frontend"


class Ending(enum.Enum):
    """How an exchange ended.

    `STALE` is before a byte of the response, `CUT` in the middle of it, `REFUSED` by what the client went on
    to send.
    """

    DONE = enum.auto()
    STALE = enum.auto()
    CUT = enum.auto()
    REFUSED = enum.auto()


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
    """Carries one request over a connection: reads its body, receives its response.

    `added` are fields that the response gets. After run(), `status` and `sent` (bytes, with the head) say
    what the client was sent; `began` is whether that was anything, `open_ended` whether only the end of the
    connection says where it ends.
    """

    def __init__(self, request: Request, client: Client, added: Fields) -> None:
        self.status = 0
        self.sent = 0
        self.began = False
        self.open_ended = False
        self._request = request
        self._client = client
        self._added = added
        self._chunked = False
        self._tunnel = False
        self._client_full = False
        self._upstream: Upstream | None = None
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def run(self, upstream: Upstream, head: bytes) -> Ending:
        """Carry the request over `upstream`. Cancelling leaves the rest unread."""
        self._upstream = upstream
        request = self._request
        if request.refusal is not None:
            return Ending.REFUSED
        if request.expects_continue and not request.complete and not request.body:
            self._client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._client.flush()
        pieces = [head, *(self._framed(chunk) for chunk in request.body)]
        if request.complete and request.chunked:
            pieces.append(b"0\r\n\r\n")
        if not request.complete:
            request.body.clear()
            request.reader = self
            self._client.hold(full=False)  # it may have had to wait until its body has somewhere to go
        upstream.ask(self, b"".join(pieces))
        self.throttle(full=self._client_full)
        try:
            return await self._ended
        finally:
            request.reader = None
            self._client.hold(full=False)
            self.throttle(full=False)  # the next to use the connection may have another client

    def throttle(self, *, full: bool) -> None:
        """The client takes no more at the moment, or again."""
        self._client_full = full
        if self._upstream is not None and not self._upstream.closed:
            if full:
                self._upstream.transport.pause_reading()
            else:
                self._upstream.transport.resume_reading()

    def relay(self, data: bytes) -> None:
        """Hand on what a client sent."""
        if self._upstream is not None and not self._upstream.closed:
            self._upstream.transport.write(data)

    def piece(self, chunk: bytes) -> None:
        """A piece of the request's body came."""
        self.relay(self._framed(chunk))

    def complete(self) -> None:
        """The request's body is all there."""
        if self._request.chunked:
            self.relay(b"0\r\n\r\n")

    def spoiled(self) -> None:
        """What the client goes on to send is refused."""
        self._end(Ending.REFUSED)

    def hint(self, status: int, fields: Fields) -> None:
        """The instance says something in advance; "continue" the proxy has said itself."""
        if status != 100 and self._request.version == "1.1":
            lines = [b"HTTP/1.1 %d " % status, *(b"%s: %s" % each for each in kept(fields))]
            self._client.write(b"\r\n".join([*lines, b"", b""]))

    def head(self, status: int, reason: bytes, fields: Fields) -> bool:
        """The response's head came; whether its body does, too."""
        request = self._request
        if status == 101 and not request.websocket:
            # The instance switches to a protocol that nobody asked for.
            self.lost()
            return True
        self.status, self.began = status, True
        lines = [b"HTTP/1.1 %d %s" % (status, reason)]
        lines += [b"%s: %s" % each for each in kept(fields) if each[0] != b"server"]
        lines += [b"%s: %s" % each for each in self._added]
        lines.append(_SERVER)
        if status == 101:
            self._tunnel = True
            lines += [b"connection: Upgrade", b"upgrade: websocket"]
        else:
            lines += self._framing(status, fields)
        data = b"\r\n".join([*lines, b"", b""])
        self.sent += len(data)
        self._client.write(data)
        if self._tunnel:
            self._client.tunnel()
        return request.method != b"HEAD"

    def body(self, chunk: bytes) -> None:
        """A piece of the response's body came."""
        self.sent += len(chunk)
        self._client.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if self._chunked else chunk)

    def end(self) -> None:
        """The response is complete."""
        if self._chunked:
            self._client.write(b"0\r\n\r\n")
        self._end(Ending.DONE)

    def lost(self) -> None:
        """The instance went away."""
        if self._tunnel:
            self._end(Ending.DONE)
        else:
            self._end(Ending.CUT if self.began else Ending.STALE)

    def flush(self) -> None:
        """Send the client what came."""
        self._client.flush()

    def hold(self, *, full: bool) -> None:
        """The instance takes no more of the body, or again."""
        self._client.hold(full=full)

    def _end(self, ending: Ending) -> None:
        if not self._ended.done():
            self._ended.set_result(ending)

    def _framing(self, status: int, fields: Fields) -> list[bytes]:
        """The lines that say where the response ends, and whether the connection goes on after it."""
        request = self._request
        lines: list[bytes] = []
        bodiless = request.method == b"HEAD" or status in {204, 304}
        if not bodiless and not any(name == b"content-length" for name, _ in fields):
            if request.version == "1.1":
                self._chunked = True
                lines.append(b"transfer-encoding: chunked")
            else:
                self.open_ended, request.keep_alive = True, False
        if not (request.keep_alive and request.complete):
            request.keep_alive = False
            lines.append(b"connection: close")
        elif request.version == "1.0":
            lines.append(b"connection: keep-alive")
        return lines

    def _framed(self, chunk: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(chunk), chunk) if self._request.chunked else chunk
