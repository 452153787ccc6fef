"""What the command that starts an engine for itself tells it: who it is, and what of the user's it has."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ci.engine.trace import Command, Place, new_span


@dataclass(frozen=True, slots=True)
class Caller:
    """``command`` is the user's command line; ``span`` is the whole command's span, below ``parent``.

    ``outputs`` are descriptors to read the output of the user's own program from, and ``terminal`` is that of
    the user's terminal; all are the engine's by inheritance. ``interactive`` is what to run in a container
    whose command failed. ``place`` is where in a trace the command itself is run.
    """

    command: tuple[str, ...] = ()
    place: Place | None = None
    span: str = ""
    outputs: tuple[int, ...] = ()
    terminal: int | None = None
    brief: bool = False
    interactive: tuple[str, ...] = ()
    silent: bool = False

    @property
    def inside(self) -> Place | None:
        """Where in the trace the work is done that the command asks for."""
        return self.place.below(self.span, shown=False) if self.place and self.span else self.place

    def span_of_command(self) -> Command | None:
        """The span of the whole command, None if it has none of its own."""
        if self.place is None or not self.span:
            return None
        name = os.environ.get("DAGGER_TRACE_NAME") or " ".join(self.command)
        return Command(name, self.place, self.span)

    def line(self) -> str:
        """As an argument of the engine's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read such an argument."""
        values = json.loads(line)
        place = values.pop("place")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(place=Place(**place) if place else None, **(values | lists))

    @classmethod
    def of_this_command(cls) -> Self:
        """Of an engine that this process, a command of the user's, starts."""
        place = Place.parse(os.environ.get("TRACEPARENT")) or Place.top()
        return cls(("dagger", *sys.argv[1:]), place, new_span())

    @classmethod
    def of_a_client(cls) -> Self:
        """Of an engine that a client library started: the user's command is the process that it is in."""
        return cls(_parent(), Place.parse(os.environ.get("TRACEPARENT")))


def _parent() -> tuple[str, ...]:
    try:
        words = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return ()
    return ("dagger", "run", *(os.fsdecode(word) for word in words)) if words else ()
