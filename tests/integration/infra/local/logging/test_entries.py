"""Entries by Google's own clients: what services print, requests, and what clients write."""

import time
from datetime import UTC, datetime, timedelta

import google.cloud.logging_v2
import googleapiclient.discovery
import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import logging as library
from googleapiclient.errors import HttpError

from infra.local.control.logging import Logs
from infra.local.control.logging.query import Query
from infra.local.runtime.contract import LogEntry

PROJECT = "shipway-test"
REVISION = f"projects/{PROJECT}/locations/europe-west1/services/hello/revisions/hello-00001-abc"
TASK = f"projects/{PROJECT}/locations/europe-west1/jobs/train/executions/train-x/tasks/train-x-task3"


@pytest.fixture
def client(cloud, monkeypatch):
    # The first entry that it writes in a process would bring one about the library itself along.
    monkeypatch.setattr(google.cloud.logging_v2, "_instrumentation_emitted", True)
    made = library.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        _use_grpc=False,
        client_options=ClientOptions(api_endpoint=cloud.url),
    )
    yield made
    made.close()


@pytest.fixture
def plain(cloud):
    with googleapiclient.discovery.build(
        "logging",
        "v2",
        static_discovery=True,
        client_options={"api_endpoint": cloud.url},
        credentials=AnonymousCredentials(),
    ) as made:
        yield made


@pytest.fixture
def logs(cloud):
    return cloud.cloud.logs


def say(logs, stream="stdout", text="hello", **more):
    logs.write(LogEntry(REVISION, stream, text, more.pop("time", time.time()), **more))


def listed(plain, query="", **more):
    body = {"resourceNames": [f"projects/{PROJECT}"], "filter": query, **more}
    return plain.entries().list(body=body).execute()


def test_a_line_that_a_service_prints_is_an_entry(client, logs):
    say(logs, "stderr", "it is broken", severity="ERROR")
    (entry,) = client.list_entries()
    assert entry.payload == "it is broken"
    assert entry.severity == "ERROR"
    assert entry.log_name == f"projects/{PROJECT}/logs/run.googleapis.com%2Fstderr"
    assert entry.resource.type == "cloud_run_revision"
    assert entry.resource.labels == {
        "project_id": PROJECT,
        "location": "europe-west1",
        "service_name": "hello",
        "configuration_name": "hello",
        "revision_name": "hello-00001-abc",
    }
    assert abs(entry.timestamp - datetime.now(UTC)) < timedelta(seconds=30)
    assert entry.insert_id


def test_a_line_of_json_is_a_payload_and_what_is_special_in_it_is_moved(plain, logs):
    payload = {
        "message": "hi",
        "score": 0.5,
        "time": "2026-01-02T03:04:05Z",
        "logging.googleapis.com/labels": {"a": 1},
        "logging.googleapis.com/spanId": "00f067aa0ba902b7",
        "logging.googleapis.com/trace_sampled": True,
        "httpRequest": {"requestMethod": "GET", "status": 200},
    }
    say(logs, text="hi", severity="warn", payload=payload, trace="projects/p/traces/t")
    (entry,) = listed(plain)["entries"]
    assert entry["jsonPayload"] == {"message": "hi", "score": 0.5}
    assert entry["timestamp"] == "2026-01-02T03:04:05Z"
    assert (entry["severity"], entry["trace"]) == ("WARNING", "projects/p/traces/t")
    assert (entry["labels"], entry["spanId"], entry["traceSampled"]) == ({"a": "1"}, "00f067aa0ba902b7", True)
    assert entry["httpRequest"] == {"requestMethod": "GET", "status": 200}


def test_a_request_is_an_entry(plain, logs):
    request = {"requestMethod": "GET", "requestUrl": "http://x/", "status": 503, "latency": "0.1s"}
    payload = {"httpRequest": request, "spanId": "1", "traceSampled": False, "instanceId": "i"}
    say(logs, "requests", "", severity="ERROR", payload=payload)
    (entry,) = listed(plain, "httpRequest.status>=500 severity>=ERROR")["entries"]
    assert entry["httpRequest"] == request
    assert entry["labels"] == {"instanceId": "i"}
    assert entry["logName"].endswith("run.googleapis.com%2Frequests")
    assert "textPayload" not in entry
    assert "jsonPayload" not in entry


def test_a_task_is_a_resource_of_its_own(plain, logs):
    logs.write(LogEntry(TASK, "stdout", "epoch 1", time.time()))
    (entry,) = listed(plain, 'resource.type="cloud_run_job" resource.labels.job_name="train"')["entries"]
    assert entry["labels"] == {
        "run.googleapis.com/execution_name": "train-x",
        "run.googleapis.com/task_index": "3",
    }


def test_what_a_client_writes_can_be_read(client):
    logger = client.logger("my-log")
    logger.log_text("plain", severity="INFO", labels={"a": "b"})
    logger.log_struct({"message": "deep", "n": 3}, severity="ERROR")
    entries = list(client.list_entries(order_by="timestamp asc"))
    assert [entry.payload for entry in entries] == ["plain", {"message": "deep", "n": 3}]
    assert entries[0].labels == {"a": "b"}
    assert [entry.payload for entry in logger.list_entries(filter_="severity>=ERROR")] == [
        {"message": "deep", "n": 3}
    ]


def test_entries_come_in_pages_both_ways(client, plain, logs):
    for number in range(7):
        say(logs, text=str(number), time=1_700_000_000 + number)
    texts = []
    answer = listed(plain, pageSize=3)
    while True:
        texts.append([entry["textPayload"] for entry in answer["entries"]])
        if "nextPageToken" not in answer:
            break
        answer = listed(plain, pageSize=3, pageToken=answer["nextPageToken"])
    assert texts == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    newest = client.list_entries(order_by=library.DESCENDING, filter_='timestamp>"2001-01-01"', page_size=3)
    assert [entry.payload for entry in newest] == list("6543210")


def test_a_page_is_of_the_order_that_it_was_asked_in(plain, logs):
    for _ in range(3):
        say(logs)
    token = listed(plain, pageSize=1)["nextPageToken"]
    with pytest.raises(HttpError, match="page_token doesn't match arguments"):
        listed(plain, pageSize=1, pageToken=token, orderBy="timestamp desc")


def test_the_same_entry_written_twice_is_one(client):
    when = datetime.now(UTC)
    for _ in range(2):
        client.logger("mine").log_text("once", insert_id="x1", timestamp=when)
    assert len(list(client.list_entries())) == 1


def test_projects_are_apart(plain, logs):
    say(logs)
    assert plain.entries().list(body={"resourceNames": ["projects/other-project"]}).execute() == {}


def test_logs_are_listed_and_deleted(client, plain, logs):
    say(logs)
    client.logger("mine").log_text("x")
    names = plain.projects().logs().list(parent=f"projects/{PROJECT}").execute()["logNames"]
    stdout = f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout"
    assert names == [f"projects/{PROJECT}/logs/mine", stdout]
    client.logger("mine").delete()
    with pytest.raises(exceptions.NotFound):
        client.logger("mine").delete()
    plain.projects().logs().delete(logName=stdout.replace("%2F", "%2F")).execute()
    assert listed(plain) == {}
    client.logger("mine").log_text("again")
    assert len(listed(plain)["entries"]) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [({"entries": [{"textPayload": "x"}]}, "not of the form projects/P/logs/LOG_ID"),
     ({"logName": "projects/shipway-test/logs/a", "entries": [{"textPayload": "x"}]}, "monitored resource"),
     ({"logName": "projects/shipway-test/logs/a", "resource": {"type": "global"},
       "entries": [{"textPayload": "x", "jsonPayload": {}}]}, "Only one payload"),
     ({"logName": "projects/shipway-test/logs/a", "resource": {"type": "global"},
       "entries": [{"textPayload": "x", "timestamp": "2090-01-01T00:00:00Z"}]}, "out of range")],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_refused(plain, body, says):
    with pytest.raises(HttpError, match=says) as refused:
        plain.entries().write(body=body).execute()
    assert refused.value.status_code == 400


def test_partial_success_writes_the_rest(plain):
    body = {
        "logName": f"projects/{PROJECT}/logs/a",
        "resource": {"type": "global"},
        "partialSuccess": True,
        "entries": [{"textPayload": "good"}, {"textPayload": "bad", "timestamp": "2090-01-01T00:00:00Z"}],
    }
    with pytest.raises(HttpError):
        plain.entries().write(body=body).execute()
    assert [entry["textPayload"] for entry in listed(plain)["entries"]] == ["good"]


def test_tail_is_refused_by_its_name(plain):
    with pytest.raises(HttpError, match=r"entries\.tail is not served") as refused:
        plain.entries().tail(body={}).execute()
    assert refused.value.status_code == 501


class TestSink:
    """The sink by itself."""

    def test_taking_ten_thousand_entries_costs_little(self, tmp_path):
        logs = Logs(tmp_path)
        began = time.thread_time()
        for number in range(10_000):
            logs.write(LogEntry(REVISION, "stdout", f"line {number}", 1_700_000_000 + number / 1000))
        took = time.thread_time() - began
        found = logs.page([PROJECT], Query('textPayload="line 9999"'), 10)
        logs.close()
        assert took < 1
        assert len(found.entries) == 1

    def test_what_is_too_much_goes_from_the_oldest(self, tmp_path):
        logs = Logs(tmp_path, limit=1 << 20)
        for number in range(3000):
            logs.write(LogEntry(REVISION, "stdout", "x" * 1000, 1_700_000_000 + number))
            if number % 100 == 0:
                logs.logs(PROJECT)
        kept = list(logs.all([PROJECT], Query("")))
        logs.close()
        assert 200 < len(kept) < 1500
        assert kept[-1]["timestamp"] == "2023-11-14T23:03:19Z"

    def test_entries_are_there_after_a_restart(self, tmp_path):
        logs = Logs(tmp_path)
        logs.write(LogEntry(REVISION, "stdout", "hello", time.time()))
        logs.close()
        logs = Logs(tmp_path)
        assert [entry["textPayload"] for entry in logs.all([PROJECT], Query(""))] == ["hello"]
        logs.close()

    def test_an_entry_that_is_no_text_does_not_take_others_along(self, tmp_path):
        logs = Logs(tmp_path)
        logs.write(LogEntry(REVISION, "stdout", "\ud800", time.time()))
        logs.write(LogEntry(REVISION, "stdout", "fine", time.time()))
        assert [entry["textPayload"] for entry in logs.all([PROJECT], Query(""))] == ["fine"]
        logs.close()
