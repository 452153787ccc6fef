"""One request's head: judged, and made ready to be handed on.

What httptools (llhttp, strict) lets through is judged again where proxies and servers have been known to
differ: RFC 9112, sections 3.2, 6.1 and 11.2.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

Fields = list[tuple[bytes, bytes]]

_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
#: Said by the proxy itself, whatever the client says.
_OURS = frozenset(
    (b"expect", b"forwarded", b"host", b"traceparent", b"x-cloud-trace-context", b"x-forwarded-proto")
)
_NOT_IN_HOST = re.compile(rb"[^A-Za-z0-9._-]")
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"))


class Refused(Exception):
    """A request that goes no further: the status it is answered with, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


@dataclass(slots=True)
class Request:  # pylint: disable=too-many-instance-attributes  # a request has these parts
    """A request as it arrives. `body` has what came of the body and was not handed on yet."""

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
    body: list[bytes] = field(default_factory=list)
    refusal: Refused | None = None
    on_body: Callable[[bytes], None] | None = None
    on_end: Callable[[], None] | None = None

    def get(self, name: bytes) -> bytes:
        """The first value of a field, by its lower-case name; b"" when there is none."""
        return next((value for each, value in self.fields if each == name), b"")


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
                request.expects_continue = value.lower() == b"100-continue" and request.version == "1.1"
    request.host = _host(request, hosts)
    request.keep_alive = b"close" not in options and (request.version == "1.1" or b"keep-alive" in options)
    request.websocket = upgrade == b"websocket" and b"upgrade" in options and request.method == b"GET"


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
    if request.target.startswith(b"http://"):
        authority, slash, path = request.target[7:].partition(b"/")
        if hosts and authority.lower() != host.lower():
            raise Refused(400, "a target that is not at its Host")
        host, request.target = authority, slash + path or b"/"
    elif not request.target.startswith(b"/") and (request.method, request.target) != (b"OPTIONS", b"*"):
        raise Refused(400, "a target that is no path")
    name, _, port = host.partition(b":")
    if (
        not all(33 <= byte < 127 for byte in name)
        or set(name) & set(b"/?#@,\\")
        or (port and not port.isdigit())
    ):
        raise Refused(400, "a Host that is no host name")
    return name.decode("ascii").lower().rstrip(".")


def forwarded(request: Request, client: str, added: Fields) -> bytes:
    """The head that an instance gets: without what concerned this connection only, with `added` fields."""
    named = {
        option.strip()
        for name, value in request.fields
        if name == b"connection"
        for option in value.lower().split(b",")
    }
    # A client must not be able to have the proxy drop what the framing rests on.
    dropped = _HOP | _OURS | (named - {b"content-length", b"cookie", b"authorization"})
    lines = [b"%s %s HTTP/1.1" % (request.method, request.target), b"Host: " + (request.get(b"host") or b"-")]
    origins = [client.encode()]
    for name, value in request.fields:
        if name == b"x-forwarded-for":
            origins.insert(-1, value)
        elif name not in dropped:
            lines.append(b"%s: %s" % (name, value))
    lines.append(b"x-forwarded-for: " + b", ".join(origins))
    lines.extend(b"%s: %s" % each for each in added)
    if request.chunked:
        lines.append(b"transfer-encoding: chunked")
    if request.websocket:
        lines += [b"connection: Upgrade", b"upgrade: websocket"]
    lines += [b"", b""]
    return b"\r\n".join(lines)


def kept(fields: Fields) -> Fields:
    """A response's fields without those that concern the connection to the instance only."""
    named: set[bytes] = set()
    for name, value in fields:
        if name == b"connection":
            named.update(option.strip() for option in value.lower().split(b","))
    dropped = _HOP | (named - {b"content-length"}) if named else _HOP
    return [each for each in fields if each[0] not in dropped]
