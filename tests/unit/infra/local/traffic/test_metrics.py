"""Figures of revisions: minute by minute for Cloud Monitoring, and since the start for Prometheus."""

import math
import statistics

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local.traffic.metrics import DESCRIPTORS, Buckets, Metrics
from infra.local.traffic.metrics.distribution import LATENCY, Tally

KEY = "projects/acme/locations/europe-west1/services/web/revisions/web-1"
COUNT = "run.googleapis.com/request_count"
LATENCIES = "run.googleapis.com/request_latencies"
INSTANCES = "run.googleapis.com/container/instance_count"
CONCURRENCIES = "run.googleapis.com/container/max_request_concurrencies"
BILLABLE = "run.googleapis.com/container/billable_instance_time"
PENDING = "run.googleapis.com/pending_queue/pending_requests"


class Clock:
    def __init__(self, now=1_000_020.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def there():
    return {}


@pytest.fixture
def metrics(clock, there):
    return Metrics(lambda: there, clock=clock, kept=3)


def points(metrics, metric, clock, **labels):
    """The points of the one series that has these labels."""
    found = metrics.series(metric, clock.now - 3600, clock.now)
    (one,) = [each for each in found if labels.items() <= each.labels.items()]
    return one.points


def test_requests_are_counted_by_code_and_minute(metrics, clock):
    for status in (200, 200, 503):
        metrics.observe(KEY, status, 0.01)
    clock.now += 60
    metrics.observe(KEY, 200, 0.01)
    newest, oldest = points(metrics, COUNT, clock, response_code="200")
    assert (oldest.start, oldest.end, oldest.value) == (1_000_020, 1_000_080, 2)
    assert (newest.start, newest.end, newest.value) == (1_000_080, 1_000_080, 1)
    (failed,) = points(metrics, COUNT, clock, response_code_class="5xx")
    assert failed.value == 1


def test_a_series_says_which_revision_it_is_of(metrics, clock):
    metrics.observe(KEY, 200, 0.01)
    clock.now += 1
    (found,) = metrics.series(COUNT, clock.now - 60, clock.now)
    assert found.resource == {
        "project_id": "acme",
        "location": "europe-west1",
        "service_name": "web",
        "revision_name": "web-1",
        "configuration_name": "web",
    }


def test_an_interval_has_the_points_that_end_after_its_start_and_not_after_its_end(metrics, clock):
    for _ in range(3):
        metrics.observe(KEY, 200, 0.01)
        clock.now += 60
    (found,) = metrics.series(COUNT, 1_000_080, 1_000_140)
    assert [point.end for point in found.points] == [1_000_140]


def test_history_is_bounded(metrics, clock):
    for _ in range(50):
        metrics.observe(KEY, 200, 0.01)
        clock.now += 60
    assert len(points(metrics, COUNT, clock)) == 3
    assert sample(metrics, "run_request_count_total") == 50


def test_a_revision_that_is_gone_is_forgotten_with_its_last_minute(metrics, clock):
    metrics.observe(KEY, 200, 0.01)
    clock.now += 3600
    assert metrics.series(COUNT, 0, clock.now) == []
    assert b"web-1" not in metrics.exposition()


def test_latencies_are_a_distribution_in_milliseconds(metrics, clock):
    values = [0.0005, 0.010, 0.010, 0.050, 2.0]
    for seconds in values:
        metrics.observe(KEY, 200, seconds)
    clock.now += 60
    (point,) = points(metrics, LATENCIES, clock)
    found, milliseconds = point.value, [seconds * 1000 for seconds in values]
    assert found.count == sum(found.counts) == 5
    assert found.mean == pytest.approx(statistics.mean(milliseconds))
    assert found.squared_deviation == pytest.approx(statistics.pvariance(milliseconds) * 5)
    assert found.counts[0] == 1
    assert found.counts[found.buckets.place(10.0)] == 2


def test_tallies_merge_to_what_one_would_have_counted():
    parts, whole = [Tally(LATENCY), Tally(LATENCY)], Tally(LATENCY)
    for number in range(40):
        parts[number % 3 == 0].observe(1.7**number % 97)
        whole.observe(1.7**number % 97)
    parts[0].merge(parts[1])
    assert parts[0].frozen().counts == whole.frozen().counts
    assert parts[0].squared_deviation == pytest.approx(whole.squared_deviation)


@pytest.mark.parametrize("value", [0.5, 1.0, 1.39, 1.41, 10.0, 1e4, 1e30])
def test_a_value_lies_between_the_bounds_of_its_bucket(value):
    buckets = Buckets(66, 1.4, 1.0)
    bounds = (-math.inf, *buckets.bounds, math.inf)
    place = buckets.place(value)
    assert bounds[place] <= value < bounds[place + 1]


def test_instances_are_active_while_they_serve(metrics, clock, there):
    there[KEY] = (3, 4)
    metrics.entered(KEY, "a")
    metrics.entered(KEY, "b")
    metrics.left(KEY, "b")
    assert points(metrics, INSTANCES, clock, state="active")[0].value == 1
    assert points(metrics, INSTANCES, clock, state="idle")[0].value == 2
    assert points(metrics, PENDING, clock)[0].value == 4


def test_instances_are_billed_while_they_serve_across_minutes(metrics, clock):
    metrics.entered(KEY, "a")
    metrics.entered(KEY, "a")
    clock.now += 30
    metrics.left(KEY, "a")
    clock.now += 40
    metrics.left(KEY, "a")
    clock.now += 100
    metrics.entered(KEY, "a")
    clock.now += 2.5
    metrics.left(KEY, "a")
    assert [point.value for point in points(metrics, BILLABLE, clock)] == [2.5, 10, 60]


def test_the_most_requests_at_once_are_counted_for_each_instance_and_minute(metrics, clock):
    for instance in "aaab":
        metrics.entered(KEY, instance)
    metrics.left(KEY, "a")
    clock.now += 60
    metrics.sample()
    found = points(metrics, CONCURRENCIES, clock)[0].value
    assert (found.count, found.mean) == (2, 2)


def test_a_metric_that_does_not_exist_is_a_key_error(metrics):
    with pytest.raises(KeyError):
        metrics.series("run.googleapis.com/nothing", 0, 1)


@pytest.mark.parametrize("metric", DESCRIPTORS)
def test_every_metric_has_the_labels_and_values_it_is_described_with(metrics, clock, there, metric):
    there[KEY] = (1, 0)
    metrics.entered(KEY, "a")
    metrics.observe(KEY, 200, 0.01)
    clock.now += 61
    metrics.left(KEY, "a")
    descriptor = DESCRIPTORS[metric]
    found = metrics.series(metric, 0, clock.now)
    assert found
    for series in found:
        assert tuple(series.labels) == descriptor.labels
        for point in series.points:
            assert (point.start == point.end) == (descriptor.kind == "GAUGE")


def test_prometheus_reads_every_figure(metrics, clock, there):
    there[KEY] = (2, 1)
    metrics.entered(KEY, "a")
    metrics.observe(KEY, 200, 0.01)
    metrics.observe(KEY, 404, 0.02)
    clock.now += 60
    assert sample(metrics, "run_request_count_total", response_code="404", response_code_class="4xx") == 1
    assert sample(metrics, "run_request_latencies_milliseconds_sum", response_code="404") == 20
    assert sample(metrics, "run_request_latencies_milliseconds_bucket", response_code="404", le="+Inf") == 1
    assert sample(metrics, "run_container_instance_count", state="idle") == 1
    assert sample(metrics, "run_pending_queue_pending_requests") == 1
    assert sample(metrics, "run_container_billable_instance_time_seconds_total") == 60


def sample(metrics, name, **labels):
    families = text_string_to_metric_families(metrics.exposition().decode())
    (value,) = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return value
