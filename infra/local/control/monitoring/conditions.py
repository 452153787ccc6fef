"""Whether a condition of an alert policy is met now.

https://cloud.google.com/monitoring/alerts/concepts-indepth: a threshold has to be crossed by all points of
`duration`, and by the newest one where it is 0.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.control.documents import Json
from infra.local.control.monitoring.aggregate import Aggregation, aggregate, read
from infra.local.control.monitoring.query import Filter
from infra.local.control.monitoring.series import Series
from infra.local.control.monitoring.sources import Sources
from infra.local.control.monitoring.statistics import numbers
from infra.local.traffic.metrics import Point

_COMPARE = {"COMPARISON_GT": operator.gt, "COMPARISON_LT": operator.lt}
_PERIOD = 60.0
_LONG_AGO = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Met:
    """A condition that is met: by which series, and what its newest value is."""

    condition: Json
    value: float
    labels: Mapping[str, str]
    resource: str
    resource_labels: Mapping[str, str]


def check(condition: Json, project: str, sources: Sources, now: float) -> list[Met]:
    """Each series that meets a condition; none when it is of a kind that is not evaluated, or has no data."""
    if "conditionThreshold" in condition:
        return _threshold(condition, condition["conditionThreshold"], project, sources, now)
    if "conditionAbsent" in condition:
        return _absent(condition, condition["conditionAbsent"], project, sources, now)
    return []


def _threshold(condition: Json, rule: Json, project: str, sources: Sources, now: float) -> list[Met]:
    duration = _duration(rule)
    data = _Data(project, sources, now)
    found = _series(rule, "filter", "aggregations", data)
    if rule.get("denominatorFilter"):
        below = _series(rule, "denominatorFilter", "denominatorAggregations", data)
        found = _ratios(found, below)
    compare, threshold = _COMPARE[rule["comparison"]], float(rule.get("thresholdValue", 0))
    met = []
    for series in found:
        recent = [point for point in series.points if point.end > now - max(duration, _PERIOD)][
            : None if duration else 1
        ]
        values = [numbers([point.value])[0] for point in recent]
        # Too short a history says nothing of the whole duration yet; unaligned points are of whole minutes.
        slack = 1.0 if rule.get("aggregations") else _PERIOD
        reaches = not duration or (recent and min(each.start for each in recent) <= now - duration + slack)
        if values and reaches and all(compare(value, threshold) for value in values):
            met.append(Met(condition, values[0], series.labels, series.resource, series.resource_labels))
    return met if len(met) >= _enough(rule, len(found)) else []


def _absent(condition: Json, rule: Json, project: str, sources: Sources, now: float) -> list[Met]:
    duration = _duration(rule)
    wanted = Filter(rule["filter"])
    known = sources.read(project, wanted, now - _LONG_AGO, now)
    return [
        Met(condition, 0.0, each.labels, each.resource, each.resource_labels)
        for each in known
        if each.points[0].end <= now - duration
    ]


@dataclass(frozen=True, slots=True)
class _Data:
    """The series of a project at a time."""

    project: str
    sources: Sources
    now: float


def _series(rule: Json, text: str, steps: str, data: _Data) -> Sequence[Series]:
    """What is compared with the threshold, over the condition's duration."""
    how = [read(each) for each in rule.get(steps, ())]
    now = data.now
    longest = max((each.period for each in how), default=0.0)
    start = now - max(_duration(rule), _PERIOD) - max(longest, _PERIOD)
    found: Sequence[Series] = data.sources.read(data.project, Filter(rule[text]), start, now)
    for each in how:
        if each != Aggregation():
            found = aggregate(found, each, start, now)
    return found


def _ratios(above: Sequence[Series], below: Sequence[Series]) -> list[Series]:
    """Series divided by those with the same labels, or by the only one that there is."""
    made = []
    for each in above:
        labels = (dict(each.labels), dict(each.resource_labels))
        other = [one for one in below if (dict(one.labels), dict(one.resource_labels)) == labels]
        other = other or (list(below) if len(below) == 1 else [])
        if not other:
            continue
        by_end = {point.end: numbers([point.value])[0] for point in other[0].points}
        points = tuple(
            Point(point.start, point.end, numbers([point.value])[0] / by_end[point.end])
            for point in each.points
            if by_end.get(point.end)
        )
        made.append(each.with_points(points, "GAUGE", "DOUBLE"))
    return made


def _enough(rule: Json, series: int) -> float:
    trigger: dict[str, Any] = rule.get("trigger", {})
    if "percent" in trigger:
        return max(1.0, series * float(trigger["percent"]) / 100)
    return max(1, int(trigger.get("count", 1)))


def _duration(rule: Json) -> float:
    return float(str(rule.get("duration", "0s")).removesuffix("s"))
