"""What the proxy says of the requests that it served: a structured log, and metrics."""

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.infra.local.traffic.stage import key


def series(stage, name):
    stage.logged()
    return stage.call(stage.front.metrics.series, f"run.googleapis.com/{name}", 0, time.time() + 60)


def test_a_request_is_logged_as_cloud_logging_has_it(stage, instance):
    instance.pages["/made"] = lambda call: (list(call.pieces()), call.respond(b"ok", "201 Created"))
    headers = {"user-agent": "me/1", "referer": "http://before/"}
    with stage.client() as client:
        answer = client.post("/made?x=1", content=b"hello", headers=headers)
    entry = stage.logged()
    assert (entry.resource, entry.stream, entry.severity, entry.text) == (
        key("web-1"),
        "requests",
        "INFO",
        "",
    )
    assert abs(entry.time - time.time()) < 10
    request = dict(entry.payload["httpRequest"])
    assert 0 < float(request.pop("latency").removesuffix("s")) < 5
    assert int(request.pop("requestSize")) > len(b"hello")
    assert int(request.pop("responseSize")) > len(b"ok")
    assert request == {
        "requestMethod": "POST",
        "requestUrl": "http://web.localhost/made?x=1",
        "status": 201,
        "userAgent": "me/1",
        "remoteIp": "127.0.0.1",
        "protocol": "HTTP/1.1",
        "referer": "http://before/",
    }
    trace, _, span = answer.headers["x-cloud-trace-context"].partition(";")[0].partition("/")
    assert entry.trace == f"projects/acme/traces/{trace}"
    assert entry.payload["spanId"] == f"{int(span):016x}"
    assert entry.payload["instanceId"] == instance.name


def test_sizes_are_what_went_over_the_wire(stage, instance):
    sent = (
        b"POST /size HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
    )
    said = stage.say(sent)
    request = stage.logged().payload["httpRequest"]
    assert abs(int(request["requestSize"]) - len(sent)) < 8
    assert int(request["responseSize"]) == len(said)


@pytest.mark.parametrize(
    ("status", "severity"), [(200, "INFO"), (302, "INFO"), (404, "WARNING"), (500, "ERROR"), (599, "ERROR")]
)
def test_severity_goes_by_code(stage, instance, status, severity):
    instance.pages["/"] = lambda call: call.respond(b"", f"{status} Whatever")
    stage.get()
    assert stage.logged().severity == severity


def test_a_log_keeps_a_clients_odd_bytes_as_text(stage, instance):
    stage.say(
        b'GET / HTTP/1.1\r\nHost: web.localhost\r\nUser-Agent: \xff\xfe"{}\r\nConnection: close\r\n\r\n'
    )
    assert stage.logged().payload["httpRequest"]["userAgent"] == '\ufffd\ufffd"{}'


def test_requests_of_each_revision_are_counted_by_code(stage, instance):
    with stage.client() as client:
        for path in ("/", "/", "/nothing"):
            client.get(path)
    stage.logged(3)
    counts = {
        each.labels["response_code"]: sum(p.value for p in each.points)
        for each in series(stage, "request_count")
    }
    assert counts == {"200": 2, "404": 1}
    (latency, *_) = series(stage, "request_latencies")
    assert latency.points[0].value.count == 2


def test_instances_at_work_are_seen_at_work(stage, instance):
    with stage.raw() as client:
        client.sendall(b"GET /silence HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
        stage.instance()
        while not stage.places.busy.total():
            time.sleep(0.01)
        found = stage.call(stage.front.metrics.series, "run.googleapis.com/container/instance_count", 0, 1e11)
    assert {each.labels["state"]: each.points[0].value for each in found} == {"active": 1, "idle": 1}


def test_prometheus_reads_it(stage, instance):
    stage.get()
    stage.logged()
    text = stage.call(stage.front.metrics.exposition).decode()
    values = {
        sample.name: sample.value for each in text_string_to_metric_families(text) for sample in each.samples
    }
    assert values["run_request_count_total"] == 1
    assert values["run_request_latencies_milliseconds_count"] == 1
    assert values["run_pending_queue_pending_requests"] == 0
