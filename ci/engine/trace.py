"""Where in a trace something happens: W3C Trace Context, and the place of whoever is asking right now."""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

# https://www.w3.org/TR/trace-context/#traceparent-header; later versions may have more fields.
_HEADER = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a trace (lower-case hex); ``span`` is empty at the top of one.

    ``step`` is the innermost step around it that is shown to people.
    """

    trace: str
    span: str = ""
    step: str | None = None
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The place as a header or an environment variable has it."""
        return f"00-{self.trace}-{self.span:0>16}-{'01' if self.sampled else '00'}"

    def below(self, span: str, *, shown: bool = True) -> "Place":
        """The place inside ``span``, which is right below this one."""
        return Place(self.trace, span, span if shown else self.step, self.sampled)

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a ``traceparent``; None when it is none, as the standard has it: such a one is ignored."""
        found = _HEADER.fullmatch((text or "").strip())
        if found is None or not int(found[1], 16) or not int(found[2], 16) or found[0].startswith("ff"):
            return None
        return cls(found[1], found[2], found[2], bool(int(found[3], 16) & 1))

    @classmethod
    def top(cls) -> Self:
        """The top of a new trace."""
        return cls(os.urandom(16).hex())


@dataclass(slots=True)
class Command:
    """The user's command as a span, around all others; its exit code is known at its end."""

    name: str
    place: Place
    span: str
    exit_code: int | None = None


def new_span() -> str:
    """An id for a span, at random."""
    return os.urandom(8).hex()


HERE: ContextVar[Place | None] = ContextVar("place", default=None)
"""Where the running task is; None where nobody has said: at the top of the session."""
