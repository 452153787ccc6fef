"""What the proxy answers itself, in the words of Google's front end."""

import html

_REASONS = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Request Entity Too Large",
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

_BODIES = {429: "Rate exceeded.", 503: "Service Unavailable", 504: "upstream request timeout"}


def answer(
    status: int, *, keep_alive: bool, why: str = "", content: tuple[str, bytes] | None = None
) -> bytes:
    """A whole response; `content` is a media type and a body, by default a line that says what is wrong."""
    kind, body = content or ("text/plain; charset=utf-8", _body(status, why))
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status, 'OK')}",
        f"content-type: {kind}",
        f"content-length: {len(body)}",
        "server: Google Frontend",
        f"connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _body(status: int, why: str) -> bytes:
    text = _BODIES.get(status) or f"Error {status} ({_REASONS.get(status, '')}): {why}".removesuffix(": ")
    return f"{html.escape(text, quote=False)}\n".encode()
