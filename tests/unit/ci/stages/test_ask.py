"""The smoke test's question: right answers pass, others are told apart."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ci.stages.inside import ask

EXPECTED = {"decision": "approve", "probability": 0.9, "tolerance": 1e-6}


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"decision": "approve", "probability": 0.9 + 5e-7, "model": "x"}, []),
        ({"decision": "approve", "probability": 0.91}, ["probability: expected 0.9, got 0.91"]),
        ({"decision": "deny", "probability": 0.9}, ["decision: expected 'approve', got 'deny'"]),
        ({"decision": "approve"}, ["probability: expected 0.9, got None"]),
        ({"decision": "approve", "probability": None}, ["probability: expected 0.9, got None"]),
    ],
)
def test_an_answer_is_compared_within_the_tolerance(answer, wrong):
    assert ask.differences(EXPECTED, answer) == wrong


class Service(BaseHTTPRequestHandler):
    """Not ready at first; then answers what the server was given."""

    def do_GET(self):
        self.server.asked += 1
        self.reply(503 if self.server.asked < 3 else 200, {})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(*self.server.answer)

    def reply(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.asked = 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(server, tmp_path):
    case = tmp_path / "case.json"
    case.write_text(json.dumps({"path": "/predict", "request": {"a": 1}, "expected": EXPECTED}))
    url = f"http://127.0.0.1:{server.server_port}"
    return subprocess.run(
        [sys.executable, "-I", ask.__file__, url, str(case)], capture_output=True, text=True, check=False
    )


def test_it_waits_until_the_service_is_ready_and_prints_the_answer(service, tmp_path):
    service.answer = (200, {"decision": "approve", "probability": 0.9})
    asked = run(service, tmp_path)
    assert asked.returncode == 0
    assert json.loads(asked.stdout) == service.answer[1]
    assert service.asked == 3


def test_another_answer_fails_and_says_which(service, tmp_path):
    service.answer = (200, {"decision": "deny", "probability": 0.9})
    asked = run(service, tmp_path)
    assert asked.returncode == 1
    assert "decision: expected 'approve', got 'deny'" in asked.stderr


def test_an_error_of_the_service_is_shown(service, tmp_path):
    service.answer = (422, {"detail": "rejected"})
    asked = run(service, tmp_path)
    assert asked.returncode == 1
    assert 'answered 422: {"detail": "rejected"}' in asked.stderr


def test_a_service_that_never_gets_ready_is_given_up():
    with pytest.raises(TimeoutError, match="not ready after 0 s"):
        ask.wait_until_ready("http://127.0.0.1:1", seconds=0.2)
