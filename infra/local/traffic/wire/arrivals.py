"""Makes requests out of the bytes that a client sends, within limits."""

from collections.abc import Callable

import httptools

from infra.local.traffic.wire.limits import Limits
from infra.local.traffic.wire.request import Refused, Request, SpeaksHttp2, judge


class Arrivals:
    """The requests of one connection: `take` gets each one when its head is there, or a refusal in its place.

    After a refusal, or a websocket's handshake, it is `ended`: no further request can follow.
    """

    def __init__(self, limits: Limits, take: Callable[[Request], None]) -> None:
        self.ended = False
        self.rest = b""  # what followed the head of a websocket's handshake
        self._limits = limits
        self._take = take
        self._parser = httptools.HttpRequestParser(self)
        self._current: Request | None = None
        self._taken = False  # whether the current request's head is all there
        self._resumed = False  # whether the head that the parser sees is one that it has seen before
        self._extra = 0  # bytes since the last one of a body

    @property
    def within_head(self) -> bool:
        """Whether a head has begun that is not all there."""
        return self._current is not None and not self._taken

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""
        if self.ended:
            self.rest += data
            return
        self._extra += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._upgraded(data[stop.args[0] :])
        except httptools.HttpParserError:
            http2 = self._parser.get_method() == b"PRI"
            self._spoil(SpeaksHttp2() if http2 else Refused(400, "bytes that are no HTTP request"))
        else:
            # A name or a value that goes on and on is with the parser still, and so are chunk extensions.
            if self._current is not None and self._extra > self._limits.head:
                self._spoil(Refused(431, "a head that is too large"))

    def expire(self) -> None:
        """The head that is arriving takes too long."""
        self._spoil(Refused(408, "a head that took too long"))

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if not self._resumed:
            self._current, self._taken = Request(), False

    def on_url(self, part: bytes) -> None:
        """Called by the parser."""
        if self._current is not None and not self._resumed:
            self._current.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser; fields after the body are dropped."""
        request = self._current
        if request is None or self._taken:
            return
        request.fields.append((name.lower(), value))
        request.size += len(name) + len(value) + 4

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        request = self._current
        if request is None or self.ended or self._resumed:
            return
        request.method, request.version = self._parser.get_method(), self._parser.get_http_version()
        request.size += len(request.method) + len(request.target) + 12
        try:
            judge(request)
            self._measure(request)
        except Refused as refusal:
            self._spoil(refusal)
            return
        self._taken, self._extra = True, 0
        self._take(request)

    def on_body(self, chunk: bytes) -> None:
        """Called by the parser."""
        request = self._current
        if request is None or self.ended:
            return
        self._extra = 0
        if request.received + len(chunk) > self._limits.body:
            self._spoil(Refused(413, "a body that is too large"))
        else:
            request.take(chunk)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        request = self._current
        if request is None or self.ended:
            return
        if request.bodied and self._parser.should_upgrade() and not self._resumed:
            return  # the parser leaves out the body of a request that wishes for another protocol
        self._current, self._taken, self._resumed, self._extra = None, False, False, 0
        self.ended = request.websocket
        request.finish()

    def _measure(self, request: Request) -> None:
        if request.size > self._limits.head or len(request.fields) > self._limits.fields:
            raise Refused(431, "a head that is too large")
        if (request.length or 0) > self._limits.body:
            raise Refused(413, "a body that is too large")

    def _upgraded(self, rest: bytes) -> None:
        """The parser saw a wish for another protocol: followed for a websocket, passed over for others."""
        if self.ended:
            self.rest = rest
            return
        request = self._current
        self._parser = httptools.HttpRequestParser(self)
        if request is not None and self._taken:
            self._resumed = True
            length = b"%d" % request.length if request.length else b"0"
            framing = b"transfer-encoding: chunked" if request.chunked else b"content-length: " + length
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n\r\n" % framing)
        self._extra = 0
        if rest:
            self.feed(rest)

    def _spoil(self, refusal: Refused) -> None:
        """Nothing after this can be understood."""
        if self.ended:
            return
        self.ended = True
        if self._taken and self._current is not None:
            self._current.spoil(refusal)
        else:
            self._take(Request(keep_alive=False, refusal=refusal))
