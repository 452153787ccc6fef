"""One revision's figures: of a minute, of all time, and what its instances are at."""

from dataclasses import dataclass, field

from infra.local.traffic.metrics.distribution import CONCURRENCY, LATENCY, Tally

MINUTE = 60


@dataclass(slots=True)
class Figures:
    """Figures of a stretch of time: latencies (ms) by response code, requests at once, billable seconds."""

    latencies: dict[int, Tally] = field(default_factory=dict)
    concurrencies: Tally = field(default_factory=lambda: Tally(CONCURRENCY))
    billable: float = 0.0

    def observe(self, status: int, milliseconds: float) -> None:
        """Count a request that was answered."""
        tally = self.latencies.get(status)
        if tally is None:
            tally = self.latencies[status] = Tally(LATENCY)
        tally.observe(milliseconds)

    def merge(self, other: "Figures") -> None:
        """Take in the figures of another stretch."""
        for status, tally in other.latencies.items():
            self.latencies.setdefault(status, Tally(LATENCY)).merge(tally)
        self.concurrencies.merge(other.concurrencies)
        self.billable += other.billable


@dataclass(frozen=True, slots=True)
class Population:
    """How many instances serve a request, how many don't, and how many requests wait for one."""

    active: int
    idle: int
    pending: int


@dataclass(slots=True)
class Minute:
    """The minute from `start` on, in seconds since the epoch; `population` as it was seen last."""

    start: int
    figures: Figures = field(default_factory=Figures)
    population: Population | None = None


@dataclass(slots=True)
class _Busy:
    """An instance that serves requests, or has served some this minute; `since` it is billed for."""

    since: float
    requests: int = 0
    most: int = 0


class Revision:
    """One revision's minutes, the oldest first, the last one being the running one, and those before them."""

    def __init__(self) -> None:
        self.minutes: list[Minute] = []
        self.past = Figures()  # all that is over, whether its minute is still kept or not
        self._busy: dict[str, _Busy] = {}

    @property
    def active(self) -> int:
        """How many instances serve at least one request."""
        return sum(busy.requests > 0 for busy in self._busy.values())

    @property
    def blank(self) -> bool:
        """Whether nothing at all happened in the minutes that are kept."""
        return not self._busy and not any(
            minute.figures.latencies or minute.population for minute in self.minutes
        )

    def total(self) -> Figures:
        """Everything since the beginning."""
        made = Figures()
        made.merge(self.past)
        if self.minutes:
            made.merge(self.minutes[-1].figures)
        return made

    def at(self, now: float, kept: int) -> Minute:
        """The minute that `now` is in; those that were over `kept` minutes before it are forgotten."""
        start = int(now) // MINUTE * MINUTE
        last = self.minutes[-1] if self.minutes else None
        if last is not None and last.start >= start:
            return last
        if last is not None:
            self._close(last)
        made = Minute(start)
        self.minutes.append(made)
        while self.minutes[0].start < start - kept * MINUTE:
            del self.minutes[0]
        return made

    def entered(self, minute: Minute, instance: str, now: float) -> None:
        """An instance got a request."""
        busy = self._busy.get(instance)
        if busy is None:
            busy = self._busy[instance] = _Busy(now)
        elif not busy.requests:
            busy.since = max(now, minute.start)
        busy.requests += 1
        busy.most = max(busy.most, busy.requests)

    def left(self, minute: Minute, instance: str, now: float) -> None:
        """An instance is done with a request."""
        busy = self._busy[instance]
        busy.requests -= 1
        if not busy.requests:
            minute.figures.billable += max(now - busy.since, 0.0)

    def _close(self, minute: Minute) -> None:
        end = minute.start + MINUTE
        for instance, busy in list(self._busy.items()):
            minute.figures.concurrencies.observe(busy.most)
            if busy.requests:
                minute.figures.billable += max(end - busy.since, 0.0)
                busy.since, busy.most = end, busy.requests
            else:
                del self._busy[instance]
        self.past.merge(minute.figures)
