"""Metrics that count log entries."""

import time

import pytest
from googleapiclient.errors import HttpError

from infra.local.runtime.contract import LogEntry
from tests.integration.infra.local.documented import build
from tests.integration.infra.local.monitoring.conftest import PROJECT, REVISION, text

KIND = "logging.googleapis.com/user/drift/warnings"


@pytest.fixture
def logging(cloud):
    with build(cloud.url, "logging", "v2") as made:
        yield made.projects().metrics()


@pytest.fixture
def create(logging):
    def make(name="drift/warnings", query="jsonPayload.drift>0.2", **more):
        return logging.create(parent=PROJECT, body={"name": name, "filter": query, **more}).execute()

    return make


@pytest.fixture
def say(cloud):
    def write(**payload):
        cloud.cloud.logs.write(LogEntry(REVISION, "stdout", "", time.time(), "INFO", payload))
        cloud.cloud.logs.logs("shipway-test")

    return write


def test_entries_are_counted_by_labels(api, create, say):
    create(labelExtractors={"model": "EXTRACT(jsonPayload.model)"})
    for drift, model in ((0.1, "a"), (0.3, "a"), (0.4, "b"), (0.5, "b")):
        say(drift=drift, model=model)
    now = time.time()
    found = api.timeSeries().list(
        name=PROJECT,
        filter=f'metric.type="{KIND}"',
        interval_startTime=text(now - 120),
        interval_endTime=text(now + 1),
    ).execute()["timeSeries"]  # fmt: skip
    counts = {
        each["metric"]["labels"]["model"]: [int(point["value"]["int64Value"]) for point in each["points"]]
        for each in found
    }
    assert {model: sum(numbers) for model, numbers in counts.items()} == {"a": 1, "b": 2}
    assert found[0]["resource"]["labels"]["service_name"] == "hello"


def test_a_log_metric_is_watched(api, create, say, evaluate, clock):
    create()
    rule = {
        "filter": f'metric.type="{KIND}" resource.type="cloud_run_revision"',
        "comparison": "COMPARISON_GT",
        "thresholdValue": 1,
        "aggregations": [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_SUM"}],
    }
    body = {
        "displayName": "Drift",
        "combiner": "OR",
        "conditions": [{"displayName": "Many", "conditionThreshold": rule}],
    }
    api.alertPolicies().create(name=PROJECT, body=body).execute()
    say(drift=0.5)
    clock.now = time.time()
    assert not evaluate()
    say(drift=0.5)
    clock.now = time.time()
    (incident,) = evaluate()
    assert incident.value >= 2


def test_log_metrics_are_kept_changed_and_deleted(api, logging, create):
    made = create(description="how often")
    name = f"{PROJECT}/metrics/drift%2Fwarnings"
    assert logging.get(metricName=name).execute() == made
    assert made["metricDescriptor"]["type"] == KIND
    assert api.metricDescriptors().get(name=f"{PROJECT}/metricDescriptors/{KIND}").execute()["unit"] == "1"
    changed = logging.update(metricName=name, body={"name": "drift/warnings", "filter": "drift"}).execute()
    assert (changed["filter"], changed["createTime"]) == ("drift", made["createTime"])
    assert logging.list(parent=PROJECT).execute() == {"metrics": [changed]}
    logging.delete(metricName=name).execute()
    with pytest.raises(HttpError, match="does not exist"):
        logging.get(metricName=name).execute()


@pytest.mark.parametrize(
    ("more", "says"),
    [({"query": ""}, "must have a filter"), ({"query": "("}, "syntax error"),
     ({"name": ""}, "Invalid metric name"),
     ({"valueExtractor": "EXTRACT(jsonPayload.x)"}, "not served by the local cloud"),
     ({"labelExtractors": {"a": "REGEXP_EXTRACT(x, y)"}}, "Only EXTRACT")],
)  # fmt: skip
def test_a_log_metric_that_cannot_be_is_refused(create, more, says):
    with pytest.raises(HttpError, match=says):
        create(**more)


def test_a_name_is_used_once(create):
    create()
    with pytest.raises(HttpError, match="already exists"):
        create()
