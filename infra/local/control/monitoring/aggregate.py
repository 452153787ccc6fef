"""Aggregation: each series aligned to periods, then reduced across series.

https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#Aggregation
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from infra.local.control.monitoring import statistics
from infra.local.control.monitoring.query import bad, label
from infra.local.control.monitoring.series import Json, Series
from infra.local.traffic.metrics import Distribution, Point, Value

MIN_PERIOD, MAX_PERIOD = 60, 104 * 7 * 86_400
MAX_POINTS = 50_000
Reduce = Callable[[Sequence[Value]], Value]
_REDUCE: dict[str, Reduce] = {
    "SUM": statistics.total,
    "MEAN": statistics.mean,
    "MIN": lambda values: min(statistics.numbers(values)),
    "MAX": lambda values: max(statistics.numbers(values)),
    "COUNT": len,
    "COUNT_TRUE": lambda values: sum(value is True for value in values),
    "COUNT_FALSE": lambda values: sum(value is False for value in values),
    "FRACTION_TRUE": lambda values: sum(value is True for value in values) / len(values),
    "STDDEV": lambda values: _deviation(statistics.numbers(values)),
    "PERCENTILE_99": lambda values: statistics.percentile(values, 99),
    "PERCENTILE_95": lambda values: statistics.percentile(values, 95),
    "PERCENTILE_50": lambda values: statistics.percentile(values, 50),
    "PERCENTILE_05": lambda values: statistics.percentile(values, 5),
}
_WHOLE = {"COUNT", "COUNT_TRUE", "COUNT_FALSE"}
_TRUTHS = {"COUNT_TRUE", "COUNT_FALSE", "FRACTION_TRUE"}


@dataclass(frozen=True, slots=True)
class Aggregation:
    """How to make fewer series of fewer points; `period` is in seconds, 0 for none."""

    period: float = 0
    aligner: str = "ALIGN_NONE"
    reducer: str = "REDUCE_NONE"
    group_by: tuple[str, ...] = ()


def read(given: Json, field: str = "aggregation") -> Aggregation:
    """The aggregation that a message says. Raises ApiError, 400."""
    text = str(given.get("alignmentPeriod") or "0s")
    period = float(text.removesuffix("s"))
    aligner = str(given.get("perSeriesAligner") or "ALIGN_NONE")
    reducer = str(given.get("crossSeriesReducer") or "REDUCE_NONE")
    if aligner != "ALIGN_NONE" and not MIN_PERIOD <= period <= MAX_PERIOD:
        why = f"The alignment period must be between {MIN_PERIOD} and {MAX_PERIOD} seconds."
        raise bad(f"{field}.alignmentPeriod", text, why)
    if reducer != "REDUCE_NONE" and aligner == "ALIGN_NONE":
        why = "A reducer needs an aligner: set perSeriesAligner and alignmentPeriod."
        raise bad(f"{field}.perSeriesAligner", aligner, why)
    name = aligner.removeprefix("ALIGN_")
    if name not in _REDUCE and name not in {"NONE", "RATE", "DELTA", "NEXT_OLDER"}:
        raise bad(f"{field}.perSeriesAligner", aligner, "The aligner is not served by the local cloud.")
    if reducer.removeprefix("REDUCE_") not in _REDUCE and reducer != "REDUCE_NONE":
        raise bad(f"{field}.crossSeriesReducer", reducer, "The reducer is not served by the local cloud.")
    return Aggregation(period, aligner, reducer, tuple(given.get("groupByFields") or ()))


def aggregate(series: Sequence[Series], how: Aggregation, start: float, end: float) -> list[Series]:
    """Series aggregated over the time from `start` to `end`. Raises ApiError, 400."""
    if how.aligner != "ALIGN_NONE" and (end - start) / how.period > MAX_POINTS:
        raise bad("interval", f"{end - start:.0f}s", f"It has more than {MAX_POINTS} alignment periods.")
    aligned = [made for each in series if (made := _aligned(each, how, start, end)).points]
    if how.reducer == "REDUCE_NONE":
        return aligned
    groups: dict[tuple[tuple[str, str, str], ...], list[Series]] = {}
    for each in aligned:
        groups.setdefault(tuple(label(each, path) for path in how.group_by), []).append(each)
    return [_reduced(group, key, how.reducer.removeprefix("REDUCE_")) for key, group in groups.items()]


def _aligned(series: Series, how: Aggregation, start: float, end: float) -> Series:
    if how.aligner == "ALIGN_NONE":
        return series
    name = how.aligner.removeprefix("ALIGN_")
    _check(series, name, how.aligner)
    windows: dict[int, list[Point]] = {}
    for point in series.points:
        if start < point.end <= end:
            windows.setdefault(int((end - point.end) // how.period), []).append(point)
    points = []
    for number, found in sorted(windows.items()):
        until = end - number * how.period
        values = [point.value for point in found]
        points.append(Point(until - how.period, until, _combined(name, values, how.period)))
    kind = "DELTA" if name in {"DELTA", "SUM"} and series.kind != "GAUGE" else "GAUGE"
    return series.with_points(tuple(points), kind, _type(series, name, points))


def _combined(name: str, values: list[Value], period: float) -> Value:
    """One value for a period; the newest of them comes first."""
    match name:
        case "RATE":
            return sum(statistics.numbers(values)) / period
        case "DELTA":
            return statistics.total(values)
        case "NEXT_OLDER":
            return values[0]
    return _REDUCE[name](values)


def _reduced(group: list[Series], key: tuple[tuple[str, str, str], ...], name: str) -> Series:
    times: dict[float, list[Point]] = {}
    for each in group:
        for point in each.points:
            times.setdefault(point.end, []).append(point)
    points = tuple(
        Point(found[0].start, end, _REDUCE[name]([point.value for point in found]))
        for end, found in sorted(times.items(), reverse=True)
    )
    first = group[0]
    made = first.with_points(points, first.kind, _type(first, name, points))
    return replace(
        made,
        labels={label_name: value for kind, label_name, value in key if kind == "metric" and value},
        resource_labels={
            **(
                {"project_id": first.resource_labels["project_id"]}
                if "project_id" in first.resource_labels
                else {}
            ),
            **{label_name: value for kind, label_name, value in key if kind == "resource" and value},
        },
    )


def _check(series: Series, name: str, aligner: str) -> None:
    wrong = (
        (name in {"RATE", "DELTA"} and series.kind == "GAUGE")
        or (name in _TRUTHS) != (series.value_type == "BOOL" and name not in {"COUNT", "NEXT_OLDER"})
        or (series.value_type == "STRING" and name not in {"COUNT", "NEXT_OLDER"})
    )
    if wrong:
        why = (
            f"The aligner cannot be applied to metrics with kind {series.kind} and value type "
            f"{series.value_type}."
        )
        raise bad("aggregation.perSeriesAligner", aligner, why)


def _type(series: Series, name: str, points: Sequence[Point]) -> str:
    """The type of what came of an operation."""
    if points and isinstance(points[0].value, Distribution):
        return "DISTRIBUTION"
    if name in _WHOLE:
        return "INT64"
    kept = name in {"SUM", "DELTA", "MIN", "MAX", "NEXT_OLDER"} and series.value_type != "DISTRIBUTION"
    return series.value_type if kept else "DOUBLE"


def _deviation(values: Sequence[float]) -> float:
    middle = sum(values) / len(values)
    return math.sqrt(sum((value - middle) ** 2 for value in values) / len(values))
