"""Time series by Google's plain client: Cloud Run's own and those that programs write."""

import time

import pytest
from googleapiclient.errors import HttpError

from tests.integration.infra.local.monitoring.conftest import OTHER, PROJECT, text

COUNT = 'metric.type="run.googleapis.com/request_count"'
LATENCY = 'metric.type="run.googleapis.com/request_latencies"'
DRIFT = "custom.googleapis.com/drift"


@pytest.fixture
def listed(api, clock):
    def ask(query, *, minutes=5, end=None, **more):
        until = end or clock.now
        parameters = {
            "name": PROJECT,
            "filter": query,
            "interval_startTime": text(until - minutes * 60),
            "interval_endTime": text(until),
            **{key.replace("how_", "aggregation_"): value for key, value in more.items()},
        }
        return api.timeSeries().list(**parameters).execute().get("timeSeries", [])

    return ask


def test_requests_are_counted_by_revision_and_code(listed, traffic):
    traffic(count=3)
    traffic(status=503, count=2)
    found = {each["metric"]["labels"]["response_code"]: each for each in listed(COUNT)}
    assert set(found) == {"200", "503"}
    assert found["503"]["points"][0]["value"] == {"int64Value": "2"}
    assert found["503"]["metric"]["labels"]["response_code_class"] == "5xx"
    assert (found["200"]["metricKind"], found["200"]["valueType"]) == ("DELTA", "INT64")
    assert found["200"]["resource"] == {
        "type": "cloud_run_revision",
        "labels": {
            "project_id": "shipway-test",
            "location": "europe-west1",
            "service_name": "hello",
            "configuration_name": "hello",
            "revision_name": "hello-00001-abc",
        },
    }


def test_a_filter_chooses_by_labels(listed, traffic):
    traffic()
    traffic(OTHER, status=404)
    chosen = listed(f'{COUNT} AND resource.labels.revision_name="hello-00002-def"')
    assert [each["metric"]["labels"]["response_code"] for each in chosen] == ["404"]
    chosen = listed(f'{COUNT} metric.label.response_code_class = starts_with("4")')
    assert len(chosen) == 1
    chosen = listed(f"{COUNT} AND NOT metric.labels.response_code=200")
    assert len(chosen) == 1


@pytest.mark.parametrize(
    ("aligner", "value"),
    [("ALIGN_RATE", {"doubleValue": 1}), ("ALIGN_SUM", {"int64Value": "60"}),
     ("ALIGN_DELTA", {"int64Value": "60"}), ("ALIGN_MEAN", {"doubleValue": 60}),
     ("ALIGN_COUNT", {"int64Value": "1"})],
)  # fmt: skip
def test_a_count_is_aligned(listed, traffic, aligner, value):
    traffic(count=60)
    (found,) = listed(COUNT, how_alignmentPeriod="60s", how_perSeriesAligner=aligner)
    assert found["points"][0]["value"] == value


@pytest.mark.parametrize(("aligner", "low", "high"), [("99", 700, 1300), ("50", 10, 40), ("95", 10, 40)])
def test_percentiles_of_latencies(listed, traffic, aligner, low, high):
    traffic(count=98, seconds=0.02)
    traffic(count=2, seconds=1.0)
    (found,) = listed(LATENCY, how_alignmentPeriod="60s", how_perSeriesAligner=f"ALIGN_PERCENTILE_{aligner}")
    assert found["valueType"] == "DOUBLE"
    assert low <= found["points"][0]["value"]["doubleValue"] <= high


def test_a_distribution_is_shown_whole(listed, traffic):
    traffic(count=4, seconds=0.1)
    (found,) = listed(LATENCY)
    shown = found["points"][0]["value"]["distributionValue"]
    assert shown["count"] == "4"
    assert shown["mean"] == pytest.approx(100)
    assert sum(map(int, shown["bucketCounts"])) == 4
    assert shown["bucketOptions"]["exponentialBuckets"]["growthFactor"] == 1.4


def test_series_are_reduced_by_groups(listed, traffic):
    traffic(count=10)
    traffic(OTHER, count=20)
    traffic(OTHER, status=500, count=6)
    summed = listed(
        COUNT,
        how_alignmentPeriod="60s",
        how_perSeriesAligner="ALIGN_SUM",
        how_crossSeriesReducer="REDUCE_SUM",
        how_groupByFields=["resource.labels.revision_name"],
    )
    got = {
        each["resource"]["labels"]["revision_name"]: each["points"][0]["value"]["int64Value"]
        for each in summed
    }
    assert got == {"hello-00001-abc": "10", "hello-00002-def": "26"}
    (total,) = listed(
        COUNT,
        how_alignmentPeriod="60s",
        how_perSeriesAligner="ALIGN_RATE",
        how_crossSeriesReducer="REDUCE_SUM",
    )
    assert total["points"][0]["value"]["doubleValue"] == pytest.approx(36 / 60)


def test_instances_are_a_gauge(listed):
    found = listed('metric.type="run.googleapis.com/container/instance_count"')
    assert sum(int(each["points"][0]["value"]["int64Value"]) for each in found) == 3
    interval = found[0]["points"][0]["interval"]
    assert interval["startTime"] == interval["endTime"]


@pytest.mark.parametrize(
    ("query", "more", "says"),
    [
        ("", {}, "must specify a single metric type"),
        ('resource.type="x"', {}, "must specify a single metric type"),
        (f"{COUNT} AND nonsense=1", {}, "field name is unrecognized"),
        (COUNT, {"how_perSeriesAligner": "ALIGN_RATE"}, "alignment period must be between"),
        (COUNT, {"how_crossSeriesReducer": "REDUCE_SUM"}, "reducer needs an aligner"),
        ('metric.type="run.googleapis.com/container/instance_count"',
         {"how_alignmentPeriod": "60s", "how_perSeriesAligner": "ALIGN_RATE"}, "kind GAUGE and value type"),
        (COUNT, {"interval_endTime": "2001-01-01T00:00:00Z"}, "start time must be before"),
        ('metric.type="custom.googleapis.com/nothing"', {}, "Cannot find metric that matches"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(listed, traffic, query, more, says):
    with pytest.raises(HttpError, match=says):
        listed(query, **more)


def written(value, when=None, **labels):
    return {
        "metric": {"type": DRIFT, "labels": labels},
        "resource": {"type": "global", "labels": {"project_id": "shipway-test"}},
        "points": [{"interval": {"endTime": text(when or time.time())}, "value": value}],
    }


def write(api, *series):
    return api.timeSeries().create(name=PROJECT, body={"timeSeries": list(series)}).execute()


def test_what_a_program_writes_is_read_and_described(api, listed):
    now = time.time()
    write(api, written({"doubleValue": 0.25}, now - 120, model="a"))
    write(
        api,
        written({"doubleValue": 0.35}, now - 60, model="a"),
        written({"doubleValue": 0.1}, now, model="b"),
    )
    found = {
        each["metric"]["labels"]["model"]: each for each in listed(f'metric.type="{DRIFT}"', end=now + 1)
    }
    assert [point["value"]["doubleValue"] for point in found["a"]["points"]] == [0.35, 0.25]
    assert found["b"]["points"][0]["value"] == {"doubleValue": 0.1}
    descriptor = api.metricDescriptors().get(name=f"{PROJECT}/metricDescriptors/{DRIFT}").execute()
    assert (descriptor["metricKind"], descriptor["valueType"]) == ("GAUGE", "DOUBLE")
    (mean,) = listed(
        f'metric.type="{DRIFT}" metric.labels.model="a"',
        end=now + 1,
        how_alignmentPeriod="300s",
        how_perSeriesAligner="ALIGN_MEAN",
    )
    assert mean["points"][0]["value"]["doubleValue"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"points": []}, "Only one point"),
     ({"metric": {"type": "run.googleapis.com/request_count"}}, "must begin with custom.googleapis.com"),
     ({"points": [{"interval": {"endTime": "2001-01-01T00:00:00Z"}, "value": {"doubleValue": 1}}]}, "25h"),
     ({"points": [{"interval": {"endTime": text(time.time())}, "value": {}}]}, "must have one of"),
     ({"metricKind": "CUMULATIVE"}, "does not fit a metric of kind CUMULATIVE")],
)  # fmt: skip
def test_a_point_that_cannot_be_is_refused(api, change, says):
    with pytest.raises(HttpError, match=says):
        write(api, {**written({"doubleValue": 1}), **change})


def test_points_are_written_in_order(api):
    now = time.time()
    write(api, written({"doubleValue": 1}, now))
    with pytest.raises(HttpError, match="in order"):
        write(api, written({"doubleValue": 2}, now))


def test_a_type_that_is_not_the_descriptors_is_refused(api):
    write(api, written({"doubleValue": 1}))
    with pytest.raises(HttpError, match="not that of its descriptor"):
        write(api, written({"int64Value": "1"}))


def test_descriptors_are_made_listed_and_deleted(api):
    body = {"type": DRIFT, "metricKind": "GAUGE", "valueType": "DOUBLE", "description": "how far"}
    made = api.metricDescriptors().create(name=PROJECT, body=body).execute()
    assert made["name"] == f"{PROJECT}/metricDescriptors/{DRIFT}"
    asked = {"name": PROJECT, "filter": 'metric.type = starts_with("custom.googleapis.com/")'}
    listed = api.metricDescriptors().list(**asked).execute()["metricDescriptors"]
    assert [each["type"] for each in listed] == [DRIFT]
    every = api.metricDescriptors().list(name=PROJECT).execute()["metricDescriptors"]
    assert "run.googleapis.com/request_latencies" in {each["type"] for each in every}
    api.metricDescriptors().delete(name=made["name"]).execute()
    with pytest.raises(HttpError, match="Could not find descriptor"):
        api.metricDescriptors().get(name=made["name"]).execute()
