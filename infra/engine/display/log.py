"""Where events go as JSON: a file, standard output, or a listener of the Automation API (``--event-log``)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from infra.engine.display.events import Event, to_json
from infra.engine.state import gojson


class Lines:
    """Writes each event as a line of JSON."""

    def __init__(self, out: TextIO, *, debug: bool = True) -> None:
        self._out = out
        self._debug = debug
        self._sequence = 0

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self._out.write(encoded(event, self._sequence) + "\n")
        self._out.flush()
        self._sequence += 1


def encoded(event: Event, sequence: int) -> str:
    """An event as the log has it."""
    return gojson.dumps(to_json(event, sequence, int(time.time())))


class EventLog:
    """A log at ``place``: a path, or ``tcp://host:port`` where an Events service (events.proto) listens."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._file: TextIO | None = None
        self._sequence = 0
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._sender: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._place.startswith("tcp://"):
            self._sender = threading.Thread(target=self._send, daemon=True)
            self._sender.start()
        else:
            self._file = Path(self._place).open("w", encoding="utf-8")
        return self

    def __call__(self, event: Event) -> None:
        """Log one event."""
        line = encoded(event, self._sequence)
        self._sequence += 1
        if self._file is not None:
            self._file.write(line + "\n")
            self._file.flush()
        else:
            self._queue.put(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._sender is not None:
            self._queue.put(None)
            self._sender.join(10)

    def _send(self) -> None:
        import grpc

        from infra.engine.protocol.messages import events_pb2, events_pb2_grpc

        def requests() -> Iterator[events_pb2.EventRequest]:
            while (line := self._queue.get()) is not None:
                yield events_pb2.EventRequest(event=line)

        with grpc.insecure_channel(self._place.removeprefix("tcp://")) as channel:
            events_pb2_grpc.EventsStub(channel).StreamEvents(requests())
