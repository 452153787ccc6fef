"""Shows events as a tree that is redrawn on a terminal: what is running, how long, and what it said last."""

import threading
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from ci.engine.events import Event, StepEnded, StepOutput
from ci.engine.progress.steps import Step, Steps, duration, outcome, output

SIGNS = {"DONE": ("✔", "green"), "CACHED": ("$", "blue"), "ERROR": ("✘", "red")}
LAST_LINES = 5  # of a running step's output
LAST_OF_FAILED = 40


@dataclass(slots=True)
class _Row:
    step: Step
    said: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_OF_FAILED))
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="yellow"))


class Tree:
    """A context manager: running steps at the bottom of the screen, ended ones scrolled away above."""

    def __init__(self, to: TextIO) -> None:
        self._lock = threading.Lock()  # the screen is redrawn by a thread; not to be held while printing
        self._steps = Steps()
        self._rows: dict[str, _Row] = {}
        self._console = Console(file=to)
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, event: Event) -> None:
        """Take an event in; it shows when the screen is next redrawn."""
        with self._lock:
            ended = self._end(event) if isinstance(event, StepEnded) else None
            if ended is None:
                step = self._steps.step(event)
                row = self._rows.setdefault(event.id, _Row(step))
                if isinstance(event, StepOutput):
                    row.said.extend(output(step, event))
        if ended is not None:
            self._console.print(ended)

    def _end(self, event: StepEnded) -> RenderableType:
        step = self._steps.end(event)
        row = self._rows.pop(event.id, None) or _Row(step)
        row.said.extend(step.rest())
        sign, colour = SIGNS[outcome(event)]
        line = Text.assemble((f"{sign} ", colour), step.name, (f" {duration(event.seconds)}", "bright_black"))
        if event.cached:
            line.append(" CACHED", style="blue")
        parts: list[RenderableType] = [line]
        if event.error is not None:
            parts += [Text(f"  ┃ {said}", style="bright_black") for said in row.said]
            parts.append(Text(f"  ! {event.error}", style="yellow"))
        return Group(*parts)

    def _drawn(self) -> RenderableType:
        with self._lock:
            parts: list[RenderableType] = []
            for row in self._rows.values():
                took = duration(self._steps.since(row.step))
                row.spinner.text = Text.assemble(row.step.name, (f" {took}", "bright_black"))
                parts.append(row.spinner)
                parts += [
                    Text(f"  ┃ {said}", style="bright_black", no_wrap=True)
                    for said in list(row.said)[-LAST_LINES:]
                ]
            return Group(*parts)
