"""What is known of the steps so far, from their events: the state that every way of showing them shares."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ci.engine.events import Event, StepEnded, StepOutput, StepStarted

UNFINISHED_LIMIT = 64 * 1024  # a line is shown in pieces of this many bytes, if it does not end


@dataclass(slots=True)
class Step:
    """A step: its number in order of appearance, and what it wrote that is not a whole line yet."""

    number: int
    name: str
    parent: "Step | None"
    began: float
    unfinished: dict[str, bytes] = field(default_factory=dict)

    def lines(self, stream: Literal["stdout", "stderr"], data: bytes) -> Iterator[str]:
        """Take in output; return the lines that it completes."""
        data = self.unfinished.pop(stream, b"") + data
        *whole, rest = data.split(b"\n")
        while len(rest) >= UNFINISHED_LIMIT:
            whole.append(rest[:UNFINISHED_LIMIT])
            rest = rest[UNFINISHED_LIMIT:]
        if rest:
            self.unfinished[stream] = rest
        yield from (_text(line) for line in whole)

    def rest(self) -> Iterator[str]:
        """Return what is left when the step has ended."""
        for data in self.unfinished.values():
            yield _text(data)
        self.unfinished.clear()


@dataclass(slots=True)
class Tally:
    """How many steps ended in which way."""

    done: int = 0
    cached: int = 0
    failed: int = 0


class Steps:
    """The steps that are running, by id, and a tally of those that are not any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.tally = Tally()
        self._running: dict[str, Step] = {}
        self._seen = 0

    def step(self, event: Event) -> Step:
        """Return the step that an event is about."""
        known = self._running.get(event.id)
        if known is not None and not isinstance(event, StepStarted):
            return known
        self._seen += 1
        name, parent = (event.name, event.parent) if isinstance(event, StepStarted) else (event.id, None)
        step = Step(self._seen, name, self._running.get(parent or ""), self.clock())
        self._running[event.id] = step
        return step

    def end(self, event: StepEnded) -> Step:
        """Count a step as ended, and forget it."""
        step = self.step(event)
        self._running.pop(event.id, None)
        if event.error is not None:
            self.tally.failed += 1
        elif event.cached:
            self.tally.cached += 1
        else:
            self.tally.done += 1
        return step

    def since(self, step: Step) -> float:
        """Return for how many seconds a step has been running."""
        return self.clock() - step.began


def outcome(event: StepEnded) -> str:
    """Return the word for how a step ended."""
    if event.error is not None:
        return "ERROR"
    return "CACHED" if event.cached else "DONE"


def output(step: Step, event: StepOutput) -> list[str]:
    """Return the whole lines that an event brings."""
    return list(step.lines(event.stream, event.data))


def duration(seconds: float) -> str:
    """Return a length of time as Dagger writes it: ``0.5s``, ``2m5s``, ``1h0m3s``."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"


def _text(line: bytes) -> str:
    """Decode a line; of a line that redraws itself (a progress bar) only what it shows last."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace")
