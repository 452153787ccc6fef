"""What the session's port says to whom."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.embedded

VERSION = json.dumps({"query": "{ version }"})


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_the_token_nothing_is_served(running, token):
    status, body = running.post(VERSION, token=token)
    assert (status, body) == (401, b"")


def test_a_request_is_answered_and_the_next_one_too(running):
    assert [running.post(VERSION)[0] for _ in range(3)] == [200, 200, 200]
    assert running.ask("{ version }")["data"]["version"].startswith("v0.")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/query", 405), ("POST", "/other", 404)])
def test_other_paths_and_methods_are_refused(running, method, path, status):
    assert running.post(VERSION, path=path, method=method)[0] == status


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("", 400, "could not be decoded"),
        ("{", 400, "could not be decoded"),
        (b"\xff\xfe", 400, "could not be decoded"),
        ("[" * 100_000, 400, "nested too deep"),
        ("[]", 400, 'a JSON object with a string "query"'),
        ('{"query": 3}', 400, 'a JSON object with a string "query"'),
        ('{"query": "{version}", "variables": []}', 400, '"variables" must be an object'),
        ('{"query": "{ nope }"}', 422, 'Cannot query field "nope"'),
        (b" " * (64 * 2**20 + 1), 413, "64 MiB"),
    ],
    ids=["empty", "cut", "no-text", "deep", "list", "number", "variables", "wrong", "large"],
)
def test_a_bad_request_gets_one_clear_error_and_the_session_goes_on(running, body, status, message):
    answer = running.post(body)
    assert answer[0] == status
    [error] = json.loads(answer[1])["errors"]
    assert message in error["message"]
    assert running.ask("{ version }")["data"]


def test_requests_at_the_same_time_are_served_side_by_side(running, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading, writing = _command(f"cat {pipe}"), _command(f"echo met > {pipe}")
    with ThreadPoolExecutor(2) as pool:
        read, written = pool.submit(running.ask, reading), pool.submit(running.ask, writing)
        assert read.result()["data"]["secret"]["plaintext"] == "met\n"
        assert written.result()["data"]


def test_a_client_that_goes_away_takes_its_work_with_it(running, tmp_path):
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    with running.posting(json.dumps({"query": _command(f"echo $$ > {pipe}; exec sleep 60")})):
        pid = int(pipe.read_text())
    _gone(pid)


def test_work_in_flight_ends_with_the_session(running, tmp_path):
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    query = _command(f"echo $$ > {pipe}; exec sleep 60")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(running.ask, query)
        pid = int(pipe.read_text())
        running.process.send_signal(signal.SIGTERM)
        assert asked.result()["errors"] == [{"message": "the session has ended"}]
    assert running.process.wait(20) == 0
    _gone(pid)


def _command(command: str) -> str:
    """Return a query that takes as long as a command does."""
    return f'{{ secret(uri: "cmd://{command}") {{ plaintext }} }}'


def _gone(pid: int) -> None:
    """Wait until a process is gone; it is reaped by the engine, so there is no event to wait for."""
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)
