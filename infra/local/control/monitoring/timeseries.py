"""monitoring.v3: time series, read with aggregation and written by programs."""

import time
from typing import Any

from infra.local.api.discovery import Request
from infra.local.api.errors import ApiError, invalid, not_found
from infra.local.control.documents import Json, page_of
from infra.local.control.logging.times import SECOND, nanoseconds
from infra.local.control.monitoring.aggregate import Aggregation, aggregate, read
from infra.local.control.monitoring.custom import NotInOrder, Points
from infra.local.control.monitoring.descriptors import PREFIXES, Descriptors
from infra.local.control.monitoring.names import project_of
from infra.local.control.monitoring.query import Filter, bad
from infra.local.control.monitoring.series import Series, document
from infra.local.control.monitoring.sources import Sources
from infra.local.traffic.metrics import Point, Value

MAX_SERIES = 200
_AGO, _AHEAD = 25 * 3600.0, 300.0
_VALUES = {"boolValue": "BOOL", "int64Value": "INT64", "doubleValue": "DOUBLE", "stringValue": "STRING"}


class TimeSeries:
    """The methods on time series."""

    def __init__(self, sources: Sources, points: Points, descriptors: Descriptors) -> None:
        self._sources = sources
        self._points = points
        self._descriptors = descriptors

    async def list(self, request: Request) -> Json:
        """timeSeries.list: of one metric, aggregated once or twice."""
        parameters = request.parameters
        project = project_of(parameters["name"])
        wanted = Filter(parameters.get("filter", ""))
        if not wanted.metric:
            raise bad("filter", parameters.get("filter", ""), "The filter must specify a single metric type.")
        if self._descriptors.find(project, wanted.metric) is None:
            raise not_found(
                f'Cannot find metric that matches type = "{wanted.metric[:200]}". If a metric was created '
                "recently, it could take up to 10 minutes to become available. Please try again soon."
            )
        start, end = _interval(parameters)
        steps = [
            read(_parameters(parameters, name), name) for name in ("aggregation", "secondaryAggregation")
        ]
        longest = max(step.period for step in steps)
        found = self._sources.read(project, wanted, start - longest, end)
        for step in steps:
            if step != Aggregation():
                found = aggregate(found, step, start - longest, end)
        headers = parameters.get("view") == "HEADERS"
        found = [_within(each, start, end) for each in found]
        shown = [document(each, points=not headers) for each in found if each.points]
        answer = page_of(shown, parameters, "timeSeries", 100_000)
        return {name: value for name, value in answer.items() if value}

    async def create(self, request: Request) -> None:
        """timeSeries.create: one new point for each series; those that are right are written."""
        project = project_of(request.parameters["name"])
        given = request.body.get("timeSeries", [])
        if not 1 <= len(given) <= MAX_SERIES:
            raise bad("timeSeries", str(len(given)), f"There must be 1 to {MAX_SERIES} time series.")
        complaints = []
        for index, each in enumerate(given):
            try:
                self._write(project, each, index)
            except ApiError as error:
                complaints.append(error.message)
        if complaints:
            text = f"One or more TimeSeries could not be written: {'; '.join(complaints)}"
            raise invalid(text, [("timeSeries", text)])

    def _write(self, project: str, given: Json, index: int) -> None:
        where = f"timeSeries[{index}]"
        metric, resource = given.get("metric", {}), given.get("resource", {})
        kind = metric.get("type", "")
        if not kind.startswith(PREFIXES):
            raise bad(f"{where}.metric.type", kind, f"It must begin with {' or '.join(PREFIXES)}.")
        points = given.get("points", [])
        if len(points) != 1:
            raise bad(f"{where}.points", str(len(points)), "Only one point can be written per request.")
        value, value_type = _value(points[0], f"{where}.points[0].value")
        descriptor = self._descriptors.find(project, kind)
        metric_kind = given.get("metricKind") or (descriptor or {}).get("metricKind") or "GAUGE"
        if metric_kind == "METRIC_KIND_UNSPECIFIED":
            metric_kind = "GAUGE"
        labels = resource.get("labels") or {}
        series = Series(
            kind,
            metric_kind,
            value_type,
            metric.get("labels") or {},
            resource.get("type") or "global",
            {"project_id": project, **labels},
            (_point(points[0], value, metric_kind, where),),
        )
        descriptor = self._descriptors.make(project, series)
        if (descriptor["metricKind"], descriptor["valueType"]) != (metric_kind, value_type):
            why = (
                f"The metric kind or value type, {metric_kind} {value_type}, is not that of its descriptor, "
                f"{descriptor['metricKind']} {descriptor['valueType']}."
            )
            raise bad(f"{where}.metric.type", kind, why)
        try:
            self._points.write(project, series)
        except NotInOrder:
            why = "Points must be written in order: one with the same or a later time is there already."
            raise bad(f"{where}.points[0].interval.endTime", str(series.points[0].end), why) from None


def _interval(parameters: Any) -> tuple[float, float]:
    if "interval.endTime" not in parameters:
        raise bad("interval.endTime", "", "It must be specified.")
    end = _seconds(parameters["interval.endTime"])
    start = _seconds(parameters["interval.startTime"]) if "interval.startTime" in parameters else end
    if start > end:
        why = "The start time must be before the end time."
        raise bad("interval.startTime", parameters["interval.startTime"], why)
    # An interval of no length means the one point at its end.
    return (start if start < end else end - 1e-6), end


def _parameters(parameters: Any, name: str) -> Json:
    return {key.partition(".")[2]: value for key, value in parameters.items() if key.startswith(f"{name}.")}


def _within(series: Series, start: float, end: float) -> Series:
    points = tuple(each for each in series.points if start < each.end <= end)
    return series.with_points(points, series.kind, series.value_type)


def _value(point: Json, where: str) -> tuple[Value, str]:
    given = point.get("value", {})
    names = [name for name in _VALUES if name in given]
    if len(names) != 1 or len(given) != 1:
        kinds = ", ".join(_VALUES)
        raise bad(where, ", ".join(given), f"It must have one of {kinds}; others are not served here.")
    kind = _VALUES[names[0]]
    value = given[names[0]]
    if kind == "DOUBLE" and isinstance(value, str):
        raise bad(where, value, "It must be a finite number.")
    return (int(value) if kind == "INT64" else value), kind


def _point(point: Json, value: Value, kind: str, where: str) -> Point:
    interval = point.get("interval", {})
    if "endTime" not in interval:
        raise bad(f"{where}.points[0].interval.endTime", "", "It must be specified.")
    end = _seconds(interval["endTime"])
    start = _seconds(interval["startTime"]) if "startTime" in interval else end
    now = time.time()
    if not now - _AGO <= end <= now + _AHEAD:
        why = "Data points cannot be written more than 25h in the past or 5m in the future."
        raise bad(f"{where}.points[0].interval.endTime", interval["endTime"], why)
    if (kind == "GAUGE" and start != end) or (kind != "GAUGE" and start >= end):
        why = f"The start time does not fit a metric of kind {kind}."
        raise bad(f"{where}.points[0].interval.startTime", str(interval.get("startTime", "")), why)
    return Point(start, end, value)


def _seconds(text: str) -> float:
    return (nanoseconds(text) or 0) / SECOND
