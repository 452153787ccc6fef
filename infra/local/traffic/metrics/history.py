"""The metrics of all revisions: what the proxy tells them, and a bounded history that can be asked for."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from infra.local.traffic.metrics import descriptors
from infra.local.traffic.metrics.descriptors import DESCRIPTORS, Descriptor
from infra.local.traffic.metrics.distribution import Distribution
from infra.local.traffic.metrics.exposition import exposition
from infra.local.traffic.metrics.minute import MINUTE, Minute, Population, Revision

Value = int | float | str | Distribution  # text only where a program writes it itself
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A value of the time from `start` to `end`, in seconds since the epoch; a gauge has both the same."""

    start: float
    end: float
    value: Value


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """One metric of one revision with one set of labels; the newest point comes first."""

    descriptor: Descriptor
    revision_key: str
    labels: Mapping[str, str]
    points: tuple[Point, ...] = field(default=())

    @property
    def resource(self) -> dict[str, str]:
        """The labels of the monitored resource."""
        return resource_of(self.revision_key)


class Metrics:
    """The figures of all revisions, minute by minute for the last `kept` minutes.

    `populations` says for each revision how many instances it has and how many requests wait for one; it is
    asked whenever figures are, and by sample(). `clock` is in seconds since the epoch.
    """

    def __init__(
        self,
        populations: Callable[[], Mapping[str, tuple[int, int]]] = dict,
        *,
        clock: Callable[[], float] = time.time,
        kept: int = 360,
    ) -> None:
        self._populations = populations
        self._clock = clock
        self._kept = kept
        self._revisions: dict[str, Revision] = {}

    def observe(self, revision_key: str, status: int, seconds: float) -> None:
        """Count a request that was answered, `seconds` after it came."""
        _, minute = self._at(revision_key, self._clock())
        minute.figures.observe(status, seconds * 1000)

    def entered(self, revision_key: str, instance: str) -> None:
        """A request went to an instance."""
        now = self._clock()
        revision, minute = self._at(revision_key, now)
        revision.entered(minute, instance, now)

    def left(self, revision_key: str, instance: str) -> None:
        """A request that had entered is over."""
        now = self._clock()
        revision, minute = self._at(revision_key, now)
        revision.left(minute, instance, now)

    def sample(self) -> None:
        """See how many instances there are; revisions that are gone are forgotten with their last minute."""
        now = self._clock()
        populations = self._populations()
        for key, (instances, pending) in populations.items():
            revision, minute = self._at(key, now)
            active = revision.active
            minute.population = Population(active, max(instances - active, 0), pending)
        for key, revision in list(self._revisions.items()):
            if key not in populations:
                self._at(key, now)
                if revision.blank:
                    del self._revisions[key]

    def series(self, metric_type: str, start: float, end: float) -> list[TimeSeries]:
        """All time series of a metric, with the points that end after `start` and not after `end`.

        Times are in seconds since the epoch. Points are of whole minutes, but for the running one, whose
        point ends now; a series without a point is left out. Raises KeyError for a type not in DESCRIPTORS.
        """
        descriptor = DESCRIPTORS[metric_type]
        self.sample()
        now = self._clock()
        found: list[TimeSeries] = []
        for key, revision in self._revisions.items():
            points: dict[Labels, list[Point]] = {}
            for minute in reversed(revision.minutes):
                until = min(minute.start + MINUTE, now)
                if start < until <= end:
                    since = until if descriptor.kind == "GAUGE" else minute.start
                    for labels, value in _values(descriptor, minute):
                        points.setdefault(labels, []).append(Point(since, until, value))
            found += [
                TimeSeries(descriptor, key, dict(labels), tuple(each)) for labels, each in points.items()
            ]
        return found

    def exposition(self) -> bytes:
        """All figures since the start, in Prometheus' text format; `exposition.CONTENT_TYPE` is its type."""
        self.sample()
        return exposition(
            (resource_of(key), revision.total(), revision.minutes[-1].population)
            for key, revision in self._revisions.items()
        )

    def _at(self, revision_key: str, now: float) -> tuple[Revision, Minute]:
        revision = self._revisions.get(revision_key)
        if revision is None:
            revision = self._revisions[revision_key] = Revision()
        return revision, revision.at(now, self._kept)


def resource_of(revision_key: str) -> dict[str, str]:
    """The labels of the monitored resource that a revision is."""
    _, project, _, location, _, service, _, revision = revision_key.split("/")
    return {
        "project_id": project,
        "location": location,
        "service_name": service,
        "revision_name": revision,
        "configuration_name": service,
    }


def _values(descriptor: Descriptor, minute: Minute) -> Iterator[tuple[Labels, Value]]:
    """A metric's values of one minute, each with the labels that it has."""
    figures, population = minute.figures, minute.population
    match descriptor.type:
        case descriptors.REQUEST_COUNT.type:
            for status, tally in figures.latencies.items():
                yield codes(status), tally.count
        case descriptors.REQUEST_LATENCIES.type:
            for status, tally in figures.latencies.items():
                yield codes(status), tally.frozen()
        case descriptors.MAX_REQUEST_CONCURRENCIES.type if figures.concurrencies.count:
            yield (("state", "active"),), figures.concurrencies.frozen()
        case descriptors.BILLABLE_INSTANCE_TIME.type if figures.billable:
            yield (), figures.billable
        case descriptors.INSTANCE_COUNT.type if population is not None:
            yield (("state", "active"),), population.active
            yield (("state", "idle"),), population.idle
        case descriptors.PENDING_REQUESTS.type if population is not None:
            yield (), population.pending


def codes(status: int) -> Labels:
    """The labels that say a response's code and its class."""
    return (("response_code", str(status)), ("response_code_class", f"{status // 100}xx"))
