"""Aggregation: what comes of points, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.api.errors import ApiError
from infra.local.control.monitoring.aggregate import Aggregation, aggregate, read
from infra.local.control.monitoring.series import Series
from infra.local.control.monitoring.statistics import percentile, total
from infra.local.traffic.metrics import Point
from infra.local.traffic.metrics.distribution import LATENCY, Tally

NUMBERS = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30)


def series(values, *, kind="DELTA", name="a", value_type="INT64", every=60, end=6000):
    points = tuple(Point(end - (at + 1) * every, end - at * every, value) for at, value in enumerate(values))
    return Series("m", kind, value_type, {"name": name}, "r", {"project_id": "p"}, points)


def distribution(values):
    tally = Tally(LATENCY)
    for value in values:
        tally.observe(value)
    return tally.frozen()


def aligned(one, aligner, period=60.0):
    (made,) = aggregate([one], Aggregation(period, f"ALIGN_{aligner}"), 0, 6000)
    return [point.value for point in made.points]


@given(NUMBERS, st.sampled_from([60, 120, 300]))
def test_no_point_is_lost_or_counted_twice(values, period):
    assert sum(aligned(series(values), "SUM", period)) == sum(values)


@given(NUMBERS)
def test_a_rate_is_of_seconds(values):
    assert aligned(series(values), "RATE") == [value / 60 for value in values]


def test_windows_end_with_the_interval_and_the_newest_comes_first():
    made = aggregate([series([1, 2, 3, 4])], Aggregation(120.0, "ALIGN_SUM"), 0, 6000)[0]
    assert [(point.start, point.end, point.value) for point in made.points] == [
        (5880, 6000, 3),
        (5760, 5880, 7),
    ]


def test_a_point_outside_the_interval_is_left_out():
    made = aggregate([series([1, 2, 3, 4])], Aggregation(60.0, "ALIGN_SUM"), 5880, 6000)[0]
    assert [point.value for point in made.points] == [1, 2]


def test_series_are_reduced_by_the_labels_that_are_asked_for():
    every = [series([1], name="a"), series([2], name="b"), series([4], name="b")]
    how = Aggregation(60.0, "ALIGN_SUM", "REDUCE_SUM", ("metric.labels.name",))
    made = aggregate(every, how, 0, 6000)
    assert [(dict(each.labels), each.points[0].value) for each in made] == [
        ({"name": "a"}, 1),
        ({"name": "b"}, 6),
    ]
    (whole,) = aggregate(every, Aggregation(60.0, "ALIGN_SUM", "REDUCE_MAX"), 0, 6000)
    assert (dict(whole.labels), whole.points[0].value) == ({}, 4)


@given(
    st.lists(st.floats(0.1, 10_000), min_size=1, max_size=60), st.lists(st.floats(0.1, 10_000), max_size=60)
)
def test_distributions_add_up_to_the_one_of_all_values(one, other):
    merged = total([distribution(one), distribution(other)])
    whole = distribution(one + other)
    assert (merged.count, merged.counts) == (whole.count, whole.counts)
    assert merged.mean == pytest.approx(whole.mean)
    assert merged.squared_deviation == pytest.approx(whole.squared_deviation, abs=1e-3)


@given(st.lists(st.floats(1.1, 10_000), min_size=1, max_size=60), st.sampled_from([5, 50, 95, 99]))
def test_a_percentile_of_a_distribution_is_off_by_a_bucket_at_most(values, percent):
    exact = sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]
    assert exact / 1.5 <= percentile([distribution(values)], percent) <= exact * 1.5


@pytest.mark.parametrize(
    ("kind", "value_type", "aligner"),
    [("GAUGE", "INT64", "RATE"), ("GAUGE", "STRING", "MEAN"), ("GAUGE", "BOOL", "MEAN"),
     ("DELTA", "INT64", "COUNT_TRUE")],
)  # fmt: skip
def test_an_aligner_that_does_not_fit_is_refused(kind, value_type, aligner):
    with pytest.raises(ApiError, match="The aligner cannot be applied"):
        aligned(series([1], kind=kind, value_type=value_type), aligner)


@pytest.mark.parametrize(
    "given",
    [{"perSeriesAligner": "ALIGN_RATE"}, {"perSeriesAligner": "ALIGN_RATE", "alignmentPeriod": "59s"},
     {"crossSeriesReducer": "REDUCE_SUM"},
     {"perSeriesAligner": "ALIGN_PERCENT_CHANGE", "alignmentPeriod": "60s"}],
)  # fmt: skip
def test_an_aggregation_that_cannot_be_is_refused(given):
    with pytest.raises(ApiError):
        read(given)
