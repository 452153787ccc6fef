"""Heads on their way through: what is dropped, what is added, and what a client can't say for itself."""

import re

from infra.local.traffic.trace import Trace
from infra.local.traffic.wire.request import Fields, Request

#: They concern one connection only: RFC 9110, section 7.6.1.
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
    (
        b"expect",
        b"forwarded",
        b"host",
        b"http2-settings",
        b"traceparent",
        b"x-cloud-trace-context",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-serverless-authorization",
    )
)
#: Said by Google's own services to each other: an instance may take them for proof of who asks.
_GOOGLES = re.compile(rb"x-(?:appengine|google|goog-(?:authenticated|iap)|envoy-(?:external|internal))-.*")
#: What the Connection field can't name: framing rests on it, or instances do.
_KEPT = frozenset((b"content-length", b"cookie", b"authorization"))
_JWT = re.compile(rb"(bearer\s+[\w-]+\.[\w-]+\.)[\w-]+", re.IGNORECASE)


def forwarded(request: Request, client: str, trace: Trace, *, verified: bool) -> bytes:
    """The head that an instance gets, of a request from the address `client`.

    When the caller's identity token was `verified`, its signature is taken off, so that an instance can't use
    the token for itself: https://cloud.google.com/run/docs/authenticating/service-to-service
    """
    dropped = _HOP | (_named(request.fields) - _KEPT)
    serverless = verified and bool(request.get(b"x-serverless-authorization"))
    lines = [b"%s %s HTTP/1.1" % (request.method, request.target), b"host: " + _host(request)]
    origins: list[bytes] = []
    for name, value in request.fields:
        if name == b"x-forwarded-for":
            origins.append(value)
        elif name == b"authorization" and verified and not serverless:
            lines.append(b"authorization: " + unsigned(value))
        elif name not in dropped and not _forged(name):
            lines.append(b"%s: %s" % (name, value))
    address = client.encode()
    lines += [
        b"x-forwarded-for: " + b",".join((*origins, address)),
        b"x-forwarded-proto: http",
        b'forwarded: for="%s";proto=http' % (b"[%s]" % address if b":" in address else address),
        b"traceparent: " + trace.traceparent,
        b"x-cloud-trace-context: " + trace.cloud,
    ]
    if serverless:
        lines.append(b"x-serverless-authorization: " + unsigned(request.get(b"x-serverless-authorization")))
    if request.chunked:
        lines.append(b"transfer-encoding: chunked")
    if request.websocket:
        lines += [b"connection: Upgrade", b"upgrade: websocket"]
    return b"\r\n".join([*lines, b"", b""])


def kept(fields: Fields) -> Fields:
    """A response's fields without those that concern the connection to the instance only."""
    named = _named(fields)
    dropped = _HOP | (named - {b"content-length"}) if named else _HOP
    return [each for each in fields if each[0] not in dropped]


def unsigned(authorization: bytes) -> bytes:
    """A bearer's JWT without its signature, as Cloud Run hands it on."""
    return _JWT.sub(rb"\1SIGNATURE_REMOVED_BY_GOOGLE", authorization)


def _host(request: Request) -> bytes:
    return request.get(b"host") or request.host.encode() or b"-"


def _named(fields: Fields) -> set[bytes]:
    """The fields that the Connection field names."""
    return {
        option.strip()
        for name, value in fields
        if name == b"connection"
        for option in value.lower().split(b",")
    }


def _forged(name: bytes) -> bool:
    # Servers of CGI's kind can't tell X_Forwarded_For from X-Forwarded-For.
    name = name.replace(b"_", b"-")
    return name in _OURS or (name.startswith(b"x-") and _GOOGLES.fullmatch(name) is not None)
