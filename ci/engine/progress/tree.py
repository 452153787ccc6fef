"""Shows events as a tree that is redrawn on a terminal: what is running, how long, and what it said last."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ci.engine.events import Event, StepEnded, TerminalClosed, TerminalOpened
from ci.engine.progress.ending import Ending
from ci.engine.progress.outline import Line, outline
from ci.engine.progress.steps import Step, Steps, duration

LAST_LINES = 5  # of a running step's output


class _Leaving:
    """A terminal that may go; what is written then is lost, for it must not end the session."""

    def __init__(self, to: TextIO) -> None:
        self._to = to

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)

    def write(self, text: str) -> int:
        """Write, if somebody is there."""
        with suppress(OSError, ValueError):
            self._to.write(text)
        return len(text)

    def flush(self) -> None:
        """Have it shown, if somebody is there."""
        with suppress(OSError, ValueError):
            self._to.flush()


class Tree:
    """A context manager: running steps at the bottom of the screen, ended ones scrolled away above.

    ``brief`` leaves nothing behind but what failed.
    """

    def __init__(self, to: TextIO, *, brief: bool = False) -> None:
        self._lock = threading.Lock()  # the screen is redrawn by a thread; not to be held while printing
        self._steps = Steps()
        self._brief = brief
        self._failed = False
        self._unfinished = ""
        self._ended: queue.SimpleQueue[Step | threading.Event | None] = queue.SimpleQueue()
        self._printing = threading.Thread(target=self._print, name="progress", daemon=True)
        self._spinner = Spinner("dots", style="yellow")
        self._console = Console(file=cast(TextIO, _Leaving(to)))
        self._live = Live(
            self,
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        self._printing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.put(None)
        self._printing.join()
        self._live.stop()

    def show(self, event: Event) -> None:
        """Take an event in; it shows when the screen is next redrawn."""
        if isinstance(event, TerminalOpened):
            self._flush()
            self._live.stop()
            return
        if isinstance(event, TerminalClosed):
            self._live.start()
            return
        with self._lock:
            step, _ = self._steps.take(event)
        if isinstance(event, StepEnded) and step is not None and step.parent is None:
            self._failed = self._failed or event.error is not None
            if event.error is not None or not self._brief:
                self._ended.put(step)

    def _print(self) -> None:
        """Print the steps that have ended, all there are at once: in a thread, for a terminal may be slow."""
        open_ = True
        while open_:
            waiting = [self._ended.get()]
            while not self._ended.empty():
                waiting.append(self._ended.get())
            open_ = None not in waiting
            steps = [step for step in waiting if isinstance(step, Step)]
            if steps:
                self._console.print(Group(*(_styled(line) for step in steps for line in outline(step))))
            for flushed in waiting:
                if isinstance(flushed, threading.Event):
                    flushed.set()

    def _flush(self) -> None:
        """Wait until all that has ended so far is printed."""
        flushed = threading.Event()
        self._ended.put(flushed)
        flushed.wait()

    def print(self, line: str) -> None:
        """Show a line of what the user's command wrote, above the tree."""
        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def prompt(self, line: str) -> None:
        """Show the start of such a line, under the tree, while it is not whole: it may be a question."""
        with self._lock:
            self._unfinished = line

    def close(self, ending: Ending) -> None:
        """Tell how to run again what failed."""
        if self._failed and ending.bad:
            # Not wrapped: it is there to be copied.
            self._console.print(*(Text(line) for line in ending.advice), sep="\n", soft_wrap=True)

    def __rich__(self) -> RenderableType:  # pylint: disable=bad-dunder-name  # rich's own
        """The part of the screen that is drawn again and again: what is running."""
        with self._lock:
            rows = [row for step in self._steps.top() for row in self._rows(step, 0)]
            if self._unfinished:
                rows.append(Text.from_ansi(self._unfinished))
            return Group(*rows)

    def _rows(self, step: Step, depth: int) -> Iterator[RenderableType]:
        """A running step, its running parts and what it said last."""
        lead = "│ " * depth
        if step.ended is not None:
            if step.ended.error is not None:
                yield from (_styled([(lead, "bright_black"), *line]) for line in outline(step))
            return
        took = duration(self._steps.since(step))
        title = Text.assemble(step.name, (f" {took}", "bright_black"), no_wrap=True, overflow="ellipsis")
        cells: list[RenderableType] = [self._spinner, " ", title]
        row = Table.grid(padding=0)
        row.add_row(*([Text(lead, style="bright_black"), *cells] if lead else cells))
        yield row
        for said in list(step.said)[-LAST_LINES:]:
            yield Text(f"{lead}  ┃ {said}", style="bright_black", no_wrap=True, overflow="ellipsis")
        for part in step.parts:
            yield from self._rows(part, depth + 1)


def _styled(line: Line) -> Text:
    return Text.assemble(*line)
