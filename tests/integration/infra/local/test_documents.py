"""Whatever is asked of Logging, Monitoring and Artifact Registry, the answer is one that is documented."""

import copy
import time
from collections import Counter

import pytest

from infra.local.api import methods, rpcs
from infra.local.api.schema import Schemas
from infra.local.control.logging.times import rfc3339
from tests.integration.infra.local import generated, plain
from tests.integration.infra.local.api import telling
from tests.integration.infra.local.api.test_arbitrary import _everything_answered
from tests.integration.infra.local.api.test_arbitrary import check as check_answer
from tests.integration.infra.local.examples import for_numbers, tried
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving
from tests.integration.infra.local.test_definition import check as check_message

REPOSITORIES = "/v1/projects/shipway-test/locations/europe-west1/repositories"
ARTIFACTS = [
    rpc
    for rpc in rpcs("google.cloud.artifactregistry_v1")
    if any(
        word in rpc.attribute for word in ("repositor", "docker", "package", "version", "tag", "iam", "locat")
    )
]
LOGGING = [
    each
    for each in methods("logging", "v2")
    if each.service in {"logging.v2.entries", "logging.v2.projects.logs"}
    and each.attribute not in {"copy", "tail"}
]
MONITORING = [
    each
    for each in methods("monitoring", "v3")
    if each.service.startswith("monitoring.v3.projects.")
    and each.service.rpartition(".")[2]
    in {"alertPolicies", "metricDescriptors", "notificationChannels", "timeSeries"}
]
SCHEMAS = {
    ("logging", "v2"): LOGGING[0].schemas.document,
    ("monitoring", "v3"): MONITORING[0].schemas.document,
}
ANSWERS = {key: Schemas(_everything_answered(copy.deepcopy(dict(each)))) for key, each in SCHEMAS.items()}
NOW = time.time_ns()
FILTERS = (
    'metric.type="run.googleapis.com/request_count"',
    'metric.type="custom.googleapis.com/drift" resource.type="global"',
    'metric.type="run.googleapis.com/request_latencies"', "", "severity>=ERROR",
    'resource.type="x" AND (a OR b)', 'textPayload=~"("', "(", 'metric.labels.a="b"',
    'metric.type = starts_with("run")', 'jsonPayload.a.b:"c"', "NOT -severity=1",
)  # fmt: skip
CONDITION = {
    "displayName": "Errors",
    "conditionThreshold": {"filter": FILTERS[0], "comparison": "COMPARISON_GT", "thresholdValue": 1},
}
POINT = {"interval": {"endTime": rfc3339(NOW)}, "value": {"doubleValue": 0.5}}
WORDS = {
    "filter": FILTERS,
    "denominatorFilter": FILTERS[:2],
    "displayName": ("Errors", "x"),
    "combiner": ("OR", "AND"),
    "comparison": ("COMPARISON_GT", "COMPARISON_LT"),
    "conditions": ([CONDITION], [CONDITION], [], None),
    "conditionThreshold": (None,),
    "points": (None, [POINT]),
    "timeSeries": (None, [{"metric": {"type": "custom.googleapis.com/drift"}, "points": [POINT]}]),
    "metric": (None,),
    "interval": (None,),
    "value": ({"doubleValue": 0.5}, {"int64Value": "1"}, {}),
    "type": ("custom.googleapis.com/drift", "email", "global"),
    "metricKind": ("GAUGE", "CUMULATIVE"),
    "valueType": ("DOUBLE", "INT64"),
    "duration": ("0s", "60s", "120s", "61s"),
    "alignmentPeriod": ("60s", "300s", "1s"),
    "aggregation.alignmentPeriod": ("60s", "300s", "1s", "-60s"),
    "endTime": (rfc3339(NOW), rfc3339(NOW - 10**9), "2001-01-01T00:00:00Z"),
    "interval.endTime": (rfc3339(NOW), "2001-01-01T00:00:00Z"),
    "interval.startTime": (rfc3339(NOW - 3600 * 10**9), "2001-01-01T00:00:00Z"),
    "timestamp": (rfc3339(NOW), "1969-01-01T00:00:00Z"),
    "logName": ("projects/shipway-test/logs/a", "projects/shipway-test/logs/a%2Fb", "nonsense"),
    "resourceNames": (["projects/shipway-test"], [], ["folders/1"], ["projects/shipway-test", "projects/x"]),
    "resource": ({"type": "global"}, {"type": "global", "labels": {"a": "b"}}, {}),
    "entries": ([{"textPayload": "x"}], [{"jsonPayload": {"a": {"b": "c"}}, "severity": "ERROR"}], []),
    "logs": ("a", "a%2Fb"),
    "metricDescriptors": ("custom.googleapis.com/drift", "run.googleapis.com/request_count"),
    "pageSize": (1, 0, 100, -1),
    "orderBy": ("timestamp desc", "timestamp asc", "display_name", "x"),
    "pageToken": ("", "", "YTA6MA", "x"),
    "labels": ({"email_address": "a@example.com"}, {"a": "b"}, None),
    "alertPolicies": ("1", "a"),
}


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("state"), MemoryFleet(), MemoryFront()) as served,
        plain.Client(base_url=served.url, timeout=20) as client,
    ):
        answer = client.post(f"{REPOSITORIES}?repositoryId=a", json={"format": "DOCKER"})
        assert answer.status_code == 200, answer.text
        yield client


@tried(60, 700)
def test_every_answer_of_artifact_registry_is_documented(http, examples):
    for_numbers(examples, lambda number: check_message(http, *generated.request(ARTIFACTS, number)))


@tried(60, 700)
def test_every_answer_of_logging_is_documented(http, examples):
    check_all(http, LOGGING, examples, ["logging.v2.entries"])


@tried(120, 1_500)
def test_every_answer_of_monitoring_is_documented(http, examples):
    projects = "monitoring.v3.projects"
    check_all(http, MONITORING, examples, [f"{projects}.alertPolicies", f"{projects}.timeSeries"])


def check_all(http, methods_, examples, services):
    """Ask so often; each of the services has been asked well, and badly."""
    seen = Counter()

    def ask(number):
        method, path, body = telling.request(methods_, SCHEMAS, WORDS, number)
        seen[method.service, check(http, method, path, body)] += 1

    for_numbers(examples, ask)
    for service in services:
        assert min(seen[service, 200], seen[service, 400]) > examples / 300, seen


def check(http, method, path, body):
    """Ask, and look at the answer; its status."""
    answer = http.request(method.verb, path, content=body)
    shown = (method.full_name, path, body[:2000], answer.text)
    document = check_answer(answer, shown)
    if answer.status_code == 200:
        assert method.response != "Empty" or document == {}, shown
        if method.response:
            api, version, *_ = method.service.split(".")
            assert ANSWERS[api, version].check(method.response, document)[1] == [], shown
    return answer.status_code
