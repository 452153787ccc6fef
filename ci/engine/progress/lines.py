"""Shows events as lines of text, as they come: Dagger's plain, logs, dots and report styles."""

from collections.abc import Callable
from typing import Protocol

from ci.engine.events import Event, StepEnded, StepOutput, StepStarted
from ci.engine.progress.steps import Step, Steps, duration, outcome, output

Write = Callable[[str], object]


class Renderer(Protocol):
    """A way of showing events."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def close(self) -> None:
        """Show what is to be shown at the end."""


class Plain:
    """Every line with its step's number; a step is named again whenever another one was shown in between."""

    def __init__(self, write: Write, steps: Steps | None = None) -> None:
        self._write = write
        self._steps = steps or Steps()
        self._current: Step | None = None

    def show(self, event: Event) -> None:
        """Show an event."""
        step = self._steps.end(event) if isinstance(event, StepEnded) else self._steps.step(event)
        match event:
            case StepStarted():
                self._turn_to(step)
            case StepOutput():
                self._lines(step, output(step, event))
            case StepEnded():
                self._lines(step, list(step.rest()))
                self._turn_to(step, named=False)
                self._line(step, f"{step.name} {outcome(event)} [{duration(event.seconds)}]")
                if event.error is not None:
                    self._line(step, f"! {event.error}")

    def close(self) -> None:
        """Leave an empty line after everything."""
        if self._current is not None:
            self._write("\n")

    def _lines(self, step: Step, texts: list[str]) -> None:
        if texts:
            self._turn_to(step)
            # Written at once: a step may print a million lines.
            lead = f"{step.number:<4}: [{duration(self._steps.since(step))}] | "
            self._write("".join(f"{lead}{text}\n" for text in texts))

    def _turn_to(self, step: Step, *, named: bool = True) -> None:
        if self._current is step:
            return
        if self._current is not None:
            self._write("\n")
        self._current = step
        if named:
            self._line(step, step.name)

    def _line(self, step: Step, text: str) -> None:
        self._write(f"{step.number:<4}: {text}\n")


class Logs:
    """The output of the steps alone, each line with its step's name before it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._steps = Steps()

    def show(self, event: Event) -> None:
        """Show an event, if it is output or an error."""
        step = self._steps.end(event) if isinstance(event, StepEnded) else self._steps.step(event)
        texts: list[str] = []
        match event:
            case StepOutput():
                texts = output(step, event)
            case StepEnded(error=error):
                texts = [*step.rest(), *([f"! {error}"] if error is not None else [])]
        if texts:
            self._write("".join(f"[{step.name}] {text}\n" for text in texts))

    def close(self) -> None:
        """Nothing is left to show."""


class Report:
    """Nothing while the session works; at the end, what failed and how many steps there were."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._steps = Steps()
        self._failures: list[str] = []

    def show(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, StepEnded):
            step = self._steps.end(event)
            if event.error is not None:
                self._failures.append(f"{step.name} ERROR [{duration(event.seconds)}]\n! {event.error}\n")
        elif isinstance(event, StepStarted):
            self._steps.step(event)

    def close(self) -> None:
        """Show the report."""
        for failure in self._failures:
            self._write(failure)
        tally = self._steps.tally
        if tally.done + tally.cached + tally.failed:
            self._write(f"{tally.done} done, {tally.cached} cached, {tally.failed} failed\n")


class Dots(Report):
    """A sign for each step that ends: ``.`` done, ``$`` cached, ``x`` failed; then the report."""

    def show(self, event: Event) -> None:
        """Show an event, if a step ends by it."""
        super().show(event)
        if isinstance(event, StepEnded):
            self._write({"DONE": ".", "CACHED": "$", "ERROR": "x"}[outcome(event)])

    def close(self) -> None:
        """End the line of signs, and show the report."""
        tally = self._steps.tally
        if tally.done + tally.cached + tally.failed:
            self._write("\n")
        super().close()
