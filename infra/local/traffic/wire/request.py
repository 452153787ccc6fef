"""One request: its head, judged, and the body that follows it.

What httptools (llhttp, strict) lets through is judged again where proxies and servers have been known to
differ: RFC 9112, sections 3.2, 6.1 and 11.2.
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

Fields = list[tuple[bytes, bytes]]

#: Methods that may be sent a second time when the first one may have got lost: RFC 9110, section 9.2.2.
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"))
#: A name or an address, and a port: RFC 3986, section 3.2.2.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?", re.ASCII)
#: Of a request's fields, those that a request may have but once.
_SINGULAR = frozenset((b"authorization", b"x-serverless-authorization"))


class Refused(Exception):
    """A request that goes no further: the status it is answered with, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


class SpeaksHttp2(Refused):
    """A client that begins with HTTP/2, as if it had been told that it is served: RFC 9113, section 3.4."""

    def __init__(self) -> None:
        super().__init__(505, "HTTP/2 without TLS is not served here: use HTTP/1.1")


class Reader(Protocol):
    """Whoever takes a request's body as it arrives."""

    def piece(self, chunk: bytes) -> None:
        """A piece of the body."""

    def complete(self) -> None:
        """The body is all there."""

    def spoiled(self) -> None:
        """Nothing more will come: `refusal` says why."""


@dataclass(slots=True)
class Request:  # pylint: disable=too-many-instance-attributes  # a request has these parts
    """A request as it arrives. `body` has what came before there was a `reader`; `size` counts all bytes."""

    method: bytes = b""
    target: bytes = b""
    version: str = "1.1"
    fields: Fields = field(default_factory=list)
    host: str = ""
    keep_alive: bool = True
    chunked: bool = False
    length: int | None = None
    websocket: bool = False
    expects_continue: bool = False
    complete: bool = False
    received: int = 0
    size: int = 0
    body: list[bytes] = field(default_factory=list)
    refusal: Refused | None = None
    reader: Reader | None = None

    def get(self, name: bytes) -> bytes:
        """The first value of a field, by its lower-case name; b"" when there is none."""
        return next((value for each, value in self.fields if each == name), b"")

    @property
    def bodied(self) -> bool:
        """Whether a body follows the head."""
        return self.chunked or bool(self.length)

    @property
    def path(self) -> str:
        """The target as text."""
        return self.target.decode("ascii", "replace")

    def take(self, chunk: bytes) -> None:
        """A piece of the body arrived."""
        self.received += len(chunk)
        if self.reader is not None:
            self.reader.piece(chunk)
        else:
            self.body.append(chunk)

    def finish(self) -> None:
        """The body is all there."""
        self.complete = True
        if self.reader is not None:
            self.reader.complete()

    def spoil(self, refusal: Refused) -> None:
        """The rest of the body can't be understood, or is too much."""
        self.refusal = refusal
        if self.reader is not None:
            self.reader.spoiled()


def judge(request: Request) -> None:
    """Read framing, host and connection options out of the fields, whose names are lower case.

    Raises Refused when servers could differ about what the request says.
    """
    if request.version not in {"1.0", "1.1"}:
        raise Refused(505, f"HTTP/{request.version} is not served here")
    if request.method == b"CONNECT":
        raise Refused(405, "CONNECT is not served here")
    hosts: list[bytes] = []
    options: set[bytes] = set()
    seen: set[bytes] = set()
    upgrade = b""
    for name, value in request.fields:
        match name:
            case b"host":
                hosts.append(value)
            case b"content-length" | b"transfer-encoding":
                _framing(request, name, value)
            case b"connection":
                options.update(option.strip() for option in value.lower().split(b","))
            case b"upgrade":
                upgrade = value.lower()
            case b"expect":
                _expect(request, value)
            case _ if name in _SINGULAR:
                if name in seen:
                    raise Refused(400, f"more than one {name.decode()}")
                seen.add(name)
    request.host = _host(request, hosts)
    request.keep_alive = b"close" not in options and (request.version == "1.1" or b"keep-alive" in options)
    if upgrade == b"websocket" and b"upgrade" in options and request.method == b"GET" and not request.bodied:
        # Whatever becomes of it, no further request can follow on this connection.
        request.websocket, request.keep_alive = True, False


def _expect(request: Request, value: bytes) -> None:
    if value.lower() != b"100-continue":
        raise Refused(417, "an expectation other than 100-continue")
    request.expects_continue = request.version == "1.1"


def _framing(request: Request, name: bytes, value: bytes) -> None:
    """Read one of the fields that say how long the body is: there may be but one of them."""
    if request.chunked or request.length is not None:
        raise Refused(400, "more than one length of the body")
    if name == b"content-length":
        if not value.isdigit():
            raise Refused(400, "a Content-Length that is no number")
        request.length = int(value)
    elif value.lower() != b"chunked" or request.version == "1.0":
        raise Refused(400, "a Transfer-Encoding other than chunked")
    else:
        request.chunked = True


def _host(request: Request, hosts: list[bytes]) -> str:
    if len(hosts) > 1 or (not hosts and request.version == "1.1"):
        raise Refused(400, "not exactly one Host")
    host = hosts[0] if hosts else b""
    if request.target[:7].lower() == b"http://":
        authority, slash, path = request.target[7:].partition(b"/")
        if hosts and authority.lower() != host.lower():
            raise Refused(400, "a target that is not at its Host")
        host, request.target = authority, slash + path or b"/"
    elif not request.target.startswith(b"/") and (request.method, request.target) != (b"OPTIONS", b"*"):
        raise Refused(400, "a target that is no path")
    found = _HOST.fullmatch(host)
    if found is None:
        raise Refused(400, "a Host that is no host name")
    return found[1].decode("ascii").lower().rstrip(".")
