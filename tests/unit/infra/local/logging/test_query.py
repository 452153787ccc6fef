"""Logging's query language: what matches, and what is no query."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.api.errors import ApiError
from infra.local.control.logging.query import Bounds, Query
from infra.local.control.logging.times import nanoseconds, rfc3339

ENTRY = {
    "logName": "projects/p/logs/run.googleapis.com%2Frequests",
    "resource": {"type": "cloud_run_revision",
                 "labels": {"service_name": "hello", "location": "europe-west1"}},
    "timestamp": "2026-05-06T07:08:09.5Z",
    "severity": "WARNING",
    "labels": {"instanceId": "a1", "run.googleapis.com/execution_name": "e-1"},
    "httpRequest": {"status": 404, "requestMethod": "GET", "latency": "0.250s", "responseSize": "1200"},
    "jsonPayload": {"message": "Drift found", "drift": 0.31, "deep": {"list": [{"a": 1}, {"a": 2}]},
                    "ok": True},
    "trace": "projects/p/traces/abc",
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        'resource.type="cloud_run_revision"',
        "resource.type=cloud_run_revision resource.labels.service_name = hello",
        'resource.type="cloud_run_revision" AND resource.labels.service_name="hello"\nseverity>=WARNING',
        "severity>=DEFAULT severity<ERROR",
        "severity=warning",
        "severity=400",
        "severity != INFO",
        'labels."run.googleapis.com/execution_name"="e-1"',
        "labels.run.googleapis.com/execution_name=e-1",
        'logName="projects/p/logs/run.googleapis.com%2Frequests"',
        'log_id("run.googleapis.com/requests")',
        'logName:"requests"',
        'timestamp>="2026-05-06T07:08:09.5Z"',
        'timestamp>"2026-05-06" timestamp<"2026-05-06T09:08:09.6+02:00"',
        "httpRequest.status=404",
        "httpRequest.status>=400 AND httpRequest.status<500",
        "http_request.status>399",
        "httpRequest.latency>0.2s",
        "httpRequest.responseSize>1000",
        'jsonPayload.message="drift FOUND"',
        'jsonPayload.message:"drift"',
        'jsonPayload.message=~"^Drift\\s"',
        'jsonPayload.message!~"^drift"',
        "jsonPayload.drift>0.3",
        "jsonPayload.ok=true",
        "jsonPayload.deep.list.a=2",
        "jsonPayload.drift:*",
        "NOT jsonPayload.nothing:*",
        "-severity=ERROR",
        "drift",
        '"Drift found"',
        "httpRequest.status=(200 OR 404)",
        "severity=(ERROR OR WARNING) -- either\nresource.type:run",
        "(severity=ERROR OR severity=WARNING) AND NOT (httpRequest.status=200)",
        # OR binds more closely than AND.
        "severity=WARNING OR severity=ERROR AND httpRequest.status=404",
        "resource.type=x OR resource.type:run severity=WARNING",
    ],
)
def test_this_matches(text):
    assert Query(text).matches(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "severity>=ERROR",
        "NOT severity=WARNING",
        'resource.labels.service_name="other"',
        "jsonPayload.nothing=1",
        "jsonPayload.nothing!=1",
        "textPayload:drift",
        'jsonPayload.message=~"^drift"',
        'timestamp<"2026-05-06T07:08:09Z"',
        "httpRequest.latency<0.2s",
        "severity=WARNING OR severity=ERROR AND httpRequest.status=200",
        "absent",
        'log_id("run.googleapis.com/stdout")',
    ],
)
def test_this_does_not_match(text):
    assert not Query(text).matches(ENTRY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("severity>=", "line 1, column 11"),
        ("(severity=ERROR", "end of filter"),
        ("severity=ERROR\n)", "line 2, column 1, token ')'"),
        ("AND", "line 1, column 1"),
        ("a = = b", "column 5"),
        ('textPayload="open', "column 13"),
        ("severity>=LOUD", "Invalid severity"),
        ('timestamp>"yesterday"', "Invalid timestamp"),
        ('textPayload=~"("', "regular expression"),
        ("nonsense.x=1", "Field not found: 'nonsense'"),
        ('SEARCH("x")', "SEARCH is not served"),
        ("(" * 100 + "a", "nested too deep"),
        ("a" * 20_001, "longer than"),
    ],
)
def test_what_is_no_query_is_told_where(text, says):
    with pytest.raises(ApiError) as refused:
        Query(text)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert says in refused.value.message


def test_what_a_store_can_look_up_is_what_holds_for_all_that_matches():
    text = 'timestamp>="2026-01-01" timestamp<"2026-01-02" severity>=ERROR logName="l" (trace=a OR trace=b)'
    start, end = nanoseconds("2026-01-01"), nanoseconds("2026-01-02")
    assert Query(text).bounds == Bounds(start, end, 500, "l")
    assert Query('timestamp>="2026-01-01" OR severity=ERROR').bounds == Bounds()
    assert Query("NOT severity>=ERROR").bounds == Bounds()


@given(st.integers(0, 1 << 61))
def test_a_time_is_what_its_text_says(time):
    assert nanoseconds(rfc3339(time)) == time


@given(st.text(alphabet='ab.="():~!<>- \nANDORT*\\', max_size=40))
@settings(max_examples=500)
def test_any_text_is_a_query_or_is_refused(text):
    with contextlib.suppress(ApiError):
        assert Query(text).matches(ENTRY) in {True, False}
