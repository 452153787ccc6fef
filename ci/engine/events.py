"""What happens while a session works, as events: emitted by the engine, shown by ``ci.engine.progress``.

Of two kinds: steps, which take their time and are shown to people, and calls of the API, of which there are
thousands; those are events only while somebody has asked for them (``Events.traced``).
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ci.engine.trace import HERE, Place, new_span

Stream: TypeAlias = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")
#: Names of attributes, as Dagger's own engine has them.
DIGEST, INPUTS, OUTPUT = "dagger.io/dag.digest", "dagger.io/dag.inputs", "dagger.io/dag.output"
Attributes: TypeAlias = Mapping[str, str | bool | int | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step or (``call``) a call of the API began; ``parent`` is the step shown around it.

    ``id`` is that of its span, and ``place`` where in the trace it is: None for a step outside any.
    """

    id: str
    name: str
    parent: str | None = None
    place: Place | None = None
    attributes: Attributes = field(default_factory=dict)
    call: bool = False


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
    canceled: bool = False
    attributes: Attributes = field(default_factory=dict)
    call: bool = False


@dataclass(frozen=True, slots=True)
class TerminalOpened:
    """The user's terminal is somebody else's until it is closed: nothing may be drawn on it."""


@dataclass(frozen=True, slots=True)
class TerminalClosed:
    """The user's terminal is to be drawn on again."""


Event: TypeAlias = StepStarted | StepOutput | StepEnded | TerminalOpened | TerminalClosed
Subscriber: TypeAlias = Callable[[Event], None]


class Step:
    """A step under way; whoever does it says how it goes."""

    def __init__(self, emit: Subscriber, id_: str) -> None:
        self._emit = emit
        self.id = id_
        self.cached = False
        self.attributes: dict[str, str | bool | int | tuple[str, ...]] = {}

    def write(self, stream: Stream, data: bytes) -> None:
        """Tell what it wrote, without secrets."""
        self._emit(StepOutput(self.id, stream, data))


class Events:
    """Hands each event to every subscriber, in the order they subscribed; to be used from any thread."""

    def __init__(self, top: Place | None = None) -> None:
        self.top = top or Place.top()
        self.scrub: Callable[[str], str] = str
        self._subscribers: list[Subscriber] = []
        self._of_calls: list[Subscriber] = []
        self._lock = threading.Lock()  # a subscriber sees one event at a time

    @property
    def here(self) -> Place:
        """Where the running task is."""
        return HERE.get() or self.top

    def subscribe(self, subscriber: Subscriber, *, calls: bool = False) -> Callable[[], None]:
        """Call ``subscriber`` with every event from now on; returns a function that ends it.

        With the calls of the API only if it asks for them.
        """
        subscribers = self._of_calls if calls else self._subscribers
        subscribers.append(subscriber)
        return lambda: subscribers.remove(subscriber)

    @property
    def traced(self) -> bool:
        """Whether somebody asks for calls of the API."""
        return bool(self._of_calls)

    def emit(self, event: Event) -> None:
        """Tell every subscriber."""
        call = isinstance(event, StepStarted | StepEnded) and event.call
        with self._lock:
            for subscriber in (*self._of_calls, *(() if call else self._subscribers)):
                subscriber(event)

    @contextmanager
    def step(self, name: str, attributes: Attributes | None = None, *, call: bool = False) -> Iterator[Step]:
        """Tell of a step that lasts as long as the block, and of the exception that ends it.

        What begins in the block, also in tasks started from it, is a part of the step.
        """
        around = self.here
        step = Step(self.emit, new_span())
        began = time.monotonic()
        self.emit(StepStarted(step.id, self.scrub(name), around.step, around, attributes or {}, call))
        before = HERE.set(around.below(step.id, shown=not call))
        error: str | None = None
        canceled = False
        try:
            yield step
        except asyncio.CancelledError:
            error, canceled = "canceled", True
            raise
        except BaseException as failure:
            error = self.scrub(str(innermost(failure)))
            raise
        finally:
            HERE.reset(before)
            seconds = time.monotonic() - began
            self.emit(StepEnded(step.id, seconds, step.cached, error, canceled, step.attributes, call))


def innermost(error: BaseException) -> BaseException:
    """The first cause in a group of exceptions, or the exception itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
