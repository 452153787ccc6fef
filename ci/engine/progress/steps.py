"""What is known of the steps so far, from their events: the state that every way of showing them shares."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ci.engine.events import Event, StepEnded, StepOutput, StepStarted

UNFINISHED_LIMIT = 64 * 1024  # a line is shown in pieces of this many bytes, if it does not end
KEPT_LINES = 40  # the last of a step's output, to be shown again when it has failed


@dataclass(slots=True, eq=False)
class Step:
    """A step: its number in order of appearance, its parts, and what it wrote that is no whole line yet."""

    number: int
    name: str
    parent: "Step | None"
    began: float
    parts: "list[Step]" = field(default_factory=list)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    ended: StepEnded | None = None
    unfinished: dict[str, bytes] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many steps it is a part of."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def top(self) -> "Step":
        """The outermost step that it is a part of."""
        return self if self.parent is None else self.parent.top

    def lines(self, stream: Literal["stdout", "stderr"], data: bytes) -> Iterator[str]:
        """Take in output; return the lines that it completes."""
        data = self.unfinished.pop(stream, b"") + data
        *whole, rest = data.split(b"\n")
        while len(rest) >= UNFINISHED_LIMIT:
            whole.append(rest[:UNFINISHED_LIMIT])
            rest = rest[UNFINISHED_LIMIT:]
        if rest:
            self.unfinished[stream] = rest
        for line in whole:
            text = _text(line)
            self.said.append(text)
            yield text

    def rest(self) -> Iterator[str]:
        """Return what is left when the step has ended."""
        for data in self.unfinished.values():
            text = _text(data)
            self.said.append(text)
            yield text
        self.unfinished.clear()


@dataclass(slots=True)
class Tally:
    """How many steps ended in which way."""

    done: int = 0
    cached: int = 0
    failed: int = 0

    @property
    def all(self) -> int:
        """How many there were."""
        return self.done + self.cached + self.failed


class Steps:
    """The steps that are running, by id, and a tally of those that are not any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.tally = Tally()
        self._running: dict[str, Step] = {}
        self._seen = 0

    def step(self, event: StepStarted | StepOutput | StepEnded) -> Step:
        """Return the step that an event is about."""
        known = self._running.get(event.id)
        if known is not None and not isinstance(event, StepStarted):
            return known
        self._seen += 1
        name, parent = (event.name, event.parent) if isinstance(event, StepStarted) else (event.id, None)
        step = Step(self._seen, name, self._running.get(parent or ""), self.clock())
        if step.parent is not None:
            step.parent.parts.append(step)
        self._running[event.id] = step
        return step

    def end(self, event: StepEnded) -> Step:
        """Count a step as ended, and forget it."""
        step = self.step(event)
        self._running.pop(event.id, None)
        step.ended = event
        for part in step.parts:
            if part.ended is None:  # a service, which outlives the step that it was started for
                part.parent = None
        step.parts = [part for part in step.parts if part.parent is step]
        if event.error is not None:
            self.tally.failed += 1
        elif event.cached:
            self.tally.cached += 1
        else:
            self.tally.done += 1
        return step

    def take(self, event: Event) -> tuple[Step | None, list[str]]:
        """The step that an event is about, None if it is about none, and the whole lines that it brings."""
        match event:
            case StepStarted():
                return self.step(event), []
            case StepOutput():
                step = self.step(event)
                return step, list(step.lines(event.stream, event.data))
            case StepEnded():
                step = self.end(event)
                return step, list(step.rest())
            case _:
                return None, []

    def top(self) -> list[Step]:
        """The running steps that are not parts of others."""
        return [step for step in self._running.values() if step.parent is None]

    def since(self, step: Step) -> float:
        """Return for how many seconds a step has been running."""
        return self.clock() - step.began


def outcome(event: StepEnded) -> str:
    """Return the word for how a step ended."""
    if event.error is not None:
        return "ERROR"
    return "CACHED" if event.cached else "DONE"


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
