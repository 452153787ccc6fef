"""Time series as this room computes with them, and as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.local.control.logging.times import SECOND, rfc3339
from infra.local.traffic.metrics import Buckets, Distribution, Point, Value

Json = dict[str, Any]
_VALUES = {"INT64": "int64Value", "DOUBLE": "doubleValue", "BOOL": "boolValue", "STRING": "stringValue"}


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one resource with one set of labels; the newest point comes first."""

    metric: str
    kind: str
    value_type: str
    labels: Mapping[str, str]
    resource: str
    resource_labels: Mapping[str, str]
    points: tuple[Point, ...] = ()
    unit: str = field(default="", compare=False)

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, str], ...], str, tuple[tuple[str, str], ...]]:
        """What tells it from others."""
        labels, resource = tuple(sorted(self.labels.items())), tuple(sorted(self.resource_labels.items()))
        return self.metric, labels, self.resource, resource

    def with_points(self, points: tuple[Point, ...], kind: str, value_type: str) -> "Series":
        """The same series with other points."""
        return replace(self, points=points, kind=kind, value_type=value_type)


def document(series: Series, *, points: bool = True) -> Json:
    """The TimeSeries message; without its points where only the headers are wanted."""
    made: Json = {
        "metric": {"type": series.metric, "labels": dict(series.labels)},
        "resource": {"type": series.resource, "labels": dict(series.resource_labels)},
        "metricKind": series.kind,
        "valueType": series.value_type,
    }
    if series.unit:
        made["unit"] = series.unit
    if points:
        made["points"] = [_point(each, series) for each in series.points]
    return made


def _point(point: Point, series: Series) -> Json:
    start = point.end if series.kind == "GAUGE" else point.start
    interval = {"startTime": _time(start), "endTime": _time(point.end)}
    return {"interval": interval, "value": _value(point.value, series.value_type)}


def _value(value: Value, kind: str) -> Json:
    if isinstance(value, Distribution):
        return {"distributionValue": _distribution(value)}
    shown: Any = value
    if kind == "INT64":
        shown = str(int(float(value)))
    elif kind == "DOUBLE":
        shown = float(value)
    return {_VALUES[kind]: shown}


def _distribution(value: Distribution) -> Json:
    buckets: Buckets = value.buckets
    exponential = {
        "numFiniteBuckets": buckets.finite,
        "growthFactor": buckets.growth,
        "scale": buckets.scale,
    }
    return {
        "count": str(value.count),
        "mean": value.mean,
        "sumOfSquaredDeviation": value.squared_deviation,
        "bucketOptions": {"exponentialBuckets": exponential},
        "bucketCounts": [str(count) for count in value.counts],
    }


def _time(seconds: float) -> str:
    return rfc3339(int(seconds * 1_000_000) * (SECOND // 1_000_000))
