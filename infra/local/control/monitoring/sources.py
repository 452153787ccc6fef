"""Where points come from: what the proxy counts, what programs write."""

from collections.abc import Iterator
from typing import Protocol

from infra.local.control.monitoring.custom import Points
from infra.local.control.monitoring.descriptors import Descriptors
from infra.local.control.monitoring.logged import PREFIX, LogMetrics
from infra.local.control.monitoring.query import Filter
from infra.local.control.monitoring.series import Series
from infra.local.traffic.metrics import DESCRIPTORS, RESOURCE, Descriptor, Point, TimeSeries

_SLACK = 2.0  # seconds


class Measured(Protocol):
    """What measures Cloud Run's own metrics: infra.local.traffic.metrics.Metrics."""

    def series(self, metric_type: str, start: float, end: float) -> list[TimeSeries]:
        """The series of a metric of all revisions, with points that end after `start` and until `end`."""


class Sources:
    """All series of all projects."""

    def __init__(
        self, measured: Measured, points: Points, logged: LogMetrics, descriptors: Descriptors
    ) -> None:
        self._logged = logged
        self._measured = measured
        self._points = points
        self._descriptors = descriptors

    def read(self, project: str, wanted: Filter, start: float, end: float) -> list[Series]:
        """The series that a filter is about, with points after `start` and until `end`, newest first."""
        found: list[Series] = []
        for descriptor in self._descriptors.all(project):
            kind = descriptor["type"]
            if wanted.types(kind):
                found += [each for each in self._of(project, kind, start, end) if wanted.matches(each)]
        return found

    def _of(self, project: str, kind: str, start: float, end: float) -> Iterator[Series]:
        built_in = DESCRIPTORS.get(kind)
        if kind.startswith(PREFIX):
            yield from self._logged.series(project, kind, start, end)
            return
        if built_in is None:
            yield from self._points.read(project, kind, start, end)
            return
        # The running minute's point ends at this very moment, a little after `end` was said to be now.
        for each in self._measured.series(kind, start, end + _SLACK):
            if each.resource["project_id"] == project and each.points:
                yield _measured(built_in, each, end)


def _measured(descriptor: Descriptor, series: TimeSeries, end: float) -> Series:
    points = tuple(Point(min(each.start, end), min(each.end, end), each.value) for each in series.points)
    return Series(
        descriptor.type,
        descriptor.kind,
        descriptor.value_type,
        series.labels,
        RESOURCE,
        series.resource,
        points,
        descriptor.unit,
    )
