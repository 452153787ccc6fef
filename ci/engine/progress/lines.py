"""Shows events as lines of text, as they come: Dagger's plain, logs, dots and report styles."""

from collections.abc import Callable, Iterator
from typing import Protocol

from ci.engine.events import Event, StepEnded, StepStarted, Subscriber, TerminalClosed, TerminalOpened
from ci.engine.progress.ending import Ending
from ci.engine.progress.outline import failures, origin, outline, text
from ci.engine.progress.steps import Step, Steps, duration, outcome
from ci.engine.progress.writer import Writer

Write = Callable[[str], object]


class Renderer(Protocol):
    """A way of showing events."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def close(self, ending: Ending) -> None:
        """Show what is to be shown at the end."""


def subscriber(renderer: Renderer, writer: Writer) -> Subscriber:
    """What shows events by a renderer, and writes nothing while somebody else has the terminal."""

    def show(event: Event) -> None:
        match event:
            case TerminalOpened():
                writer.hold()
            case TerminalClosed():
                writer.release()
            case _:
                renderer.show(event)

    return show


class Plain:
    """Every line with its step's number; a step is named again whenever another one was shown in between."""

    def __init__(self, write: Write, steps: Steps | None = None) -> None:
        self._write = write
        self._steps = steps or Steps()
        self._current: Step | None = None
        self._failed: list[Step] = []

    def show(self, event: Event) -> None:
        """Show an event."""
        step, texts = self._steps.take(event)
        if step is None:
            return
        self._lines(step, texts)
        if isinstance(event, StepStarted):
            self._turn_to(step)
        elif isinstance(event, StepEnded):
            self._turn_to(step, named=False)
            self._line(step, f"{step.name} {outcome(event)} [{duration(event.seconds)}]")
            if event.error is not None:
                self._line(step, f"! {event.error}")
            if step.parent is None:
                self._failed += failures(step)

    def close(self, ending: Ending) -> None:
        """Leave an empty line after everything; tell again what failed, for it may be far up."""
        if self._current is not None:
            self._write("\n")
        if self._failed and ending.bad:
            self._write("".join(f"{line}\n" for line in _told_again(self._failed, ending)))

    def _lines(self, step: Step, texts: list[str]) -> None:
        if texts:
            self._turn_to(step)
            # Written at once: a step may print a million lines.
            lead = f"{self._lead(step)}[{duration(self._steps.since(step))}] | "
            self._write("".join(f"{lead}{said}\n" for said in texts))

    def _turn_to(self, step: Step, *, named: bool = True) -> None:
        if self._current is step:
            return
        if self._current is not None and self._current.top is not step.top:
            self._write("\n")
        self._current = step
        if named:
            self._line(step, step.name)

    def _line(self, step: Step, words: str) -> None:
        self._write(f"{self._lead(step)}{words}\n")

    @staticmethod
    def _lead(step: Step) -> str:
        return f"{step.number:<4}: {'┆ ' * step.depth}"


class Logs:
    """The output of the steps alone, under a step's name whenever another one's stands above."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._steps = Steps()
        self._header = ""

    def show(self, event: Event) -> None:
        """Show an event, if it is output or an error."""
        step, texts = self._steps.take(event)
        if step is None:
            return
        if isinstance(event, StepEnded) and event.error is not None and not step.parts:
            texts.append(f"! {event.error}")
        if texts:
            self._under(f"▼ {step.name}\n")
            self._write("".join(f"{said}\n" for said in texts))

    def close(self, ending: Ending) -> None:
        """Tell how to run it again."""
        if self._steps.tally.failed and ending.bad:
            self._write("".join(f"{line}\n" for line in ending.advice))

    def _under(self, header: str) -> None:
        if header != self._header:
            self._write(f"\n{header}" if self._header else header)
            self._header = header


class Dots(Logs):
    """A sign for each step that ends, ``.`` or ``X``, between the logs; the report, if something failed."""

    def __init__(self, write: Write) -> None:
        super().__init__(write)
        self._report = Report(write, self._steps)
        self._open = False

    def show(self, event: Event) -> None:
        """Show an event, if it is output or the end of a step."""
        step, texts = self._steps.take(event)
        self._report.note(event, step)
        if step is not None and texts:
            self._end_line()
            self._under(f"▼ {step.name}\n")
            self._write("".join(f"{said}\n" for said in texts))
        if isinstance(event, StepEnded):
            self._under("▶ ")
            self._write("." if event.error is None or event.canceled else "X")
            self._open = True

    def close(self, ending: Ending) -> None:
        """End the line of signs, and show the report if something failed."""
        self._end_line()
        if self._steps.tally.failed and ending.bad:
            self._write("\n")
            self._report.close(ending)

    def _end_line(self) -> None:
        if self._open:
            self._write("\n")
        self._open = False


class Report:
    """Nothing while the session works; at the end what ran, how it ended, and what failed with its output."""

    def __init__(self, write: Write, steps: Steps | None = None) -> None:
        self._write = write
        self._steps = steps or Steps()
        self._done: list[str] = []
        self._failed = False

    def show(self, event: Event) -> None:
        """Take an event in."""
        step, _ = self._steps.take(event)
        self.note(event, step)

    def note(self, event: Event, step: Step | None) -> None:
        """Take in an event that is of ``step``, whose steps have taken it."""
        if isinstance(event, StepEnded) and step is not None and step.parent is None:
            # As text at once: a step with its output is larger, and there may be ten thousand.
            self._done += (text(line) for line in outline(step))
            self._failed = self._failed or event.error is not None

    def close(self, ending: Ending) -> None:
        """Show the report."""
        for line in self._done:
            self._write(f"{line}\n")
        tally = self._steps.tally
        if tally.all:
            self._write(f"\n{tally.done} done, {tally.cached} cached, {tally.failed} failed\n")
        if self._failed and ending.bad:
            self._write("".join(f"{line}\n" for line in ending.advice))


def _told_again(failed: list[Step], ending: Ending) -> Iterator[str]:
    """What failed, where it came from, and what to do about it."""
    for step in failed:
        yield from (text(line) for line in outline(step))
        if came_from := origin(step):
            yield f"  in {came_from}"
    yield from ending.advice
