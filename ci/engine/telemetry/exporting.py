"""A thread that takes events in and exports them: the engine waits for it at its end alone, not for long."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ci.engine.events import Event, Events, StepOutput, StepStarted
from ci.engine.telemetry.endpoints import Endpoints
from ci.engine.telemetry.progress import Progress
from ci.engine.trace import Command

WAITING = 50_000  # events; beyond them what steps write is dropped, rather than fill the memory

WARNING = "failures detected while emitting telemetry. trace information incomplete"


@contextmanager
def exported(
    events: Events, endpoints: Endpoints, command: Command | None, warn: Callable[[str], object]
) -> Iterator[None]:
    """Export the events of the block, and at its end the command's span.

    An endpoint that is not there costs one warning, given to ``warn``, and a second at the end.
    """
    if not endpoints:
        yield
        return
    waiting: queue.SimpleQueue[tuple[int, Event] | None] = queue.SimpleQueue()
    progress = Progress()
    began = time.time_ns()

    def take(event: Event) -> None:
        dispensable = isinstance(event, StepOutput) or (isinstance(event, StepStarted) and event.call)
        if isinstance(event, StepOutput) and not endpoints.logs:
            return
        if not dispensable or waiting.qsize() < WAITING:
            waiting.put((time.time_ns(), event))

    def work() -> None:
        try:
            from ci.engine.telemetry.recorder import Recorder

            recorder = Recorder(endpoints, progress)
            progress.loaded.set()
            while (entry := waiting.get()) is not None:
                recorder.record(*entry)
            if command is not None:
                recorder.command(command, began, time.time_ns())
            recorder.close()
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # never the engine's end
            progress.fail(f"{type(error).__name__}: {error}")
        progress.loaded.set()
        progress.settled.set()

    threading.Thread(target=work, name="telemetry", daemon=True).start()
    stop = events.subscribe(take, calls=endpoints.traces is not None)
    try:
        yield
    finally:
        stop()
        waiting.put(None)
        progress.wait()
        if progress.trouble is not None:
            warn(f"WARN - {WARNING}\n({progress.trouble})\n")
