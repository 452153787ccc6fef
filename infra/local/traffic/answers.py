"""What the proxy answers itself, in the words of Google's front end."""

import html
from email.utils import formatdate

from infra.local.traffic.wire.request import Refused, Request, SpeaksHttp2

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    417: "Expectation Failed",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}
#: What the request log says of a request that got no answer from an instance.
NO_INSTANCE = "The request was aborted because there was no available instance."
NOT_STARTED = "The request failed because the instance could not start successfully."
BROKEN = (
    "The request failed because either the HTTP response was malformed or connection to the instance had an "
    "error."
)
TIMED_OUT = "The request has been terminated because it has reached the maximum request timeout."
FORBIDDEN = (
    "The request was not authenticated. Either allow unauthenticated invocations or set the proper "
    "Authorization header."
)
NOT_INTERNAL = "The request was refused by the service's ingress setting."
UNVERIFIED = "The request was not authorized to invoke this service: its token could not be verified."
REFUSED = "The request was refused while its body arrived: {why}."

_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=UTF-8"
_TEXTS = {429: "Rate exceeded.", 503: "Service Unavailable", 504: "upstream request timeout"}
_HEADINGS = {
    401: ("Unauthorized", "Your client does not have permission to the requested URL <code>{path}</code>."),
    403: (
        "Forbidden",
        "Your client does not have permission to get URL <code>{path}</code> from this server.",
    ),
    413: ("Request Entity Too Large", "Your client issued a request that was too large."),
}
#: What RFC 6750, section 3, has a server say of a token.
_CHALLENGE = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
_PATH = 512  # characters of a path that a page repeats

#: Empty settings, then "go away, HTTP/1.1 is required", in HTTP/2's own words: RFC 9113, sections 6.8 and 7.
_WHY = SpeaksHttp2().why.encode()
_GO_AWAY = (
    b"\0\0\0\4\0\0\0\0\0" + (8 + len(_WHY)).to_bytes(3, "big") + b"\7\0\0\0\0\0\0\0\0\0\0\0\0\x0d" + _WHY
)


def answer(status: int, request: Request, *, why: str = "") -> bytes:
    """A whole response to a request, which says whether its connection goes on."""
    kind, body = _body(status, request.path, why)
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        f"content-type: {kind}",
        f"content-length: {len(body)}",
        f"date: {formatdate(usegmt=True)}",
        "server: Google Frontend",
        f"connection: {'keep-alive' if request.keep_alive else 'close'}",
    ]
    if status == 401:
        lines.append(f"www-authenticate: {_CHALLENGE}")
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if request.method == b"HEAD" else body)


def refuse(refusal: Refused, request: Request) -> bytes:
    """The answer to what is no request that could be served: to HTTP/2, frames of its own."""
    if isinstance(refusal, SpeaksHttp2):
        return _GO_AWAY
    return answer(refusal.status, request, why=refusal.why)


def _body(status: int, path: str, why: str) -> tuple[str, bytes]:
    """Media type and content."""
    path = html.escape(path.partition("?")[0][:_PATH])
    if status in _TEXTS:
        return _TEXT, f"{_TEXTS[status]}\n".encode()
    if status == 404:
        return _HTML, _NOT_FOUND.format(path=path).encode()
    if status in _HEADINGS:
        title, text = _HEADINGS[status]
        return _HTML, _PAGE.format(status=status, title=title, text=text.format(path=path)).encode()
    return _TEXT, f"Error {status} ({_REASONS[status]}): {html.escape(why, quote=False)}\n".encode()


_NOT_FOUND = """\
<!DOCTYPE html>
<html lang=en>
<meta charset=utf-8>
<title>Error 404 (Page not found)!!1</title>
<p><b>404.</b> <ins>That\u2019s an error.</ins>
<p>The requested URL <code>{path}</code> was not found on this server.  <ins>That\u2019s all we know.</ins>
"""
_PAGE = """\
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>{status} {title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: {title}</h1>
<h2>{text}</h2>
</body></html>
"""
