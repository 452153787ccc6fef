"""What happens while a session works, as events: emitted by the engine, shown by ``ci.engine.progress``."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Stream: TypeAlias = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began; ``parent`` is the id of the step that it is a part of."""

    id: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class StepOutput:
    """A step wrote something; secrets are already taken out of ``data``."""

    id: str
    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended: well if ``error`` is None. ``cached``: its result was known, and nothing ran."""

    id: str
    seconds: float
    cached: bool
    error: str | None


Event: TypeAlias = StepStarted | StepOutput | StepEnded
Subscriber: TypeAlias = Callable[[Event], None]


class Events:
    """Hands each event to every subscriber, in the order they subscribed; to be used from any thread."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._lock = threading.Lock()  # a subscriber sees one event at a time

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` with every event from now on; returns a function that ends it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def emit(self, event: Event) -> None:
        """Tell every subscriber."""
        with self._lock:
            for subscriber in tuple(self._subscribers):
                subscriber(event)
