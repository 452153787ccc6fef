"""Trace ids: read from a request or made for it, and handed on.

https://www.w3.org/TR/trace-context/ and https://cloud.google.com/trace/docs/trace-context
"""

import random
import re
from dataclasses import dataclass

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_CLOUD = re.compile(rb"([0-9a-fA-F]{32})(?:/(\d{1,20}))?(?:;o=([0-3]))?")
_NO_TRACE = b"0" * 32


@dataclass(frozen=True, slots=True)
class Trace:
    """A request's trace id (32 hex digits), the span of its way through the proxy, and whether to sample."""

    id: str
    span: int
    sampled: bool

    @property
    def traceparent(self) -> bytes:
        """The W3C header's value."""
        return b"00-%s-%016x-%02x" % (self.id.encode(), self.span, self.sampled)

    @property
    def cloud(self) -> bytes:
        """The value of X-Cloud-Trace-Context."""
        return b"%s/%d;o=%d" % (self.id.encode(), self.span, self.sampled)


def trace_of(traceparent: bytes, cloud: bytes) -> Trace:
    """Go on with the trace of a request's headers (b"" where absent), or begin one."""
    span = random.getrandbits(63) | 1
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is not None and found[1] != _NO_TRACE:
        return Trace(found[1].decode(), span, bool(int(found[3], 16) & 1))
    found = _CLOUD.fullmatch(cloud)
    if found is not None and found[1] != _NO_TRACE:
        return Trace(found[1].decode().lower(), span, found[3] in {b"1", b"3"})
    return Trace(f"{random.getrandbits(128) | 1:032x}", span, sampled=False)
