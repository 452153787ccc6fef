"""Session affinity: a cookie that brings a client back to an instance. It is a wish, never a right.

https://cloud.google.com/run/docs/configuring/session-affinity
"""

import base64

#: The cookie's name at Cloud Run, and how long it lives, in seconds.
COOKIE = b"GAESA"
AGE = 30 * 24 * 3600
_BETWEEN = "/instances/"
_MOST = 1024  # bytes of a cookie that may be ours


def cookie(revision_key: str, instance: str) -> bytes:
    """The value of Set-Cookie that brings a client back to an instance."""
    value = base64.urlsafe_b64encode(f"{revision_key}{_BETWEEN}{instance}".encode()).rstrip(b"=")
    return b"%s=%s; Max-Age=%d; Path=/; HttpOnly" % (COOKIE, value, AGE)


def read(cookies: bytes) -> tuple[str, str]:
    """The revision and the instance that a Cookie header wishes for; ("", "") when it has no wish of ours."""
    for pair in cookies.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == COOKIE and len(value) < _MOST:
            try:
                text = base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4)).decode()
            except ValueError:
                return "", ""
            key, _, instance = text.rpartition(_BETWEEN)
            return key, instance
    return "", ""
