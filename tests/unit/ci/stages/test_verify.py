"""The deployed service is what was deployed, or the run fails and says in what it differs."""

import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ci.stages import smoke

INSIDE = Path(smoke.__file__).parent / "inside"
NAME = "projects/acme-1/locations/europe-west1/services/loans"
IMAGE = f"registry.test/loans@sha256:{'1' * 64}"
EXPECTED = {"name": NAME, "image": IMAGE, "revision": "loans-2", "commit": "c0ffee"}
CASE = {"path": "/predict", "request": {"income": 1}, "expected": {"decision": "approve"}}


class CloudAndService(BaseHTTPRequestHandler):
    """Both at one address, as behind a front proxy: the service is known by its host name."""

    def do_GET(self):
        if self.headers["Host"] == "loans.test":
            self.reply({"/readyz": {}, "/version": self.server.version}[self.path])
        else:
            assert self.path == f"/v2/{NAME}/revisions/loans-2"
            self.reply({"containers": [{"image": self.server.stored}]})

    def do_POST(self):
        assert self.headers["Host"] == "loans.test"
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply({"decision": self.server.decision})

    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), CloudAndService) as server:
        server.version = {"revision": "c0ffee", "deployment": {"revision": "loans-2", "image": IMAGE}}
        server.stored, server.decision = IMAGE, "approve"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def verify(tmp_path, server):
    for name in ("ask.py", "verify.py"):
        shutil.copy(INSIDE / name, tmp_path)
    (tmp_path / "expected.json").write_text(json.dumps(EXPECTED))
    (tmp_path / "known_case.json").write_text(json.dumps(CASE))
    address = f"127.0.0.1:{server.server_port}"

    def run():
        command = [sys.executable, tmp_path / "verify.py", "http://loans.test", address, f"http://{address}"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_a_service_that_is_what_was_deployed_is_told_by_revision_digest_and_commit(verify):
    done = verify()
    assert done.returncode == 0, done.stderr
    digest = IMAGE.rpartition("@")[2]
    assert json.loads(done.stdout) == {"revision": "loans-2", "digest": digest, "commit": "c0ffee"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda server: setattr(server, "decision", "deny"), "decision: expected 'approve', got 'deny'"),
        (
            lambda server: server.version.update(revision="bad"),
            "the service's commit: expected 'c0ffee', got 'bad'",
        ),
        (
            lambda server: server.version["deployment"].update(revision="loans-1"),
            "the service's revision: expected 'loans-2', got 'loans-1'",
        ),
        (lambda server: setattr(server, "stored", "other"), "Cloud Run's image: expected"),
    ],
    ids=["answer", "commit", "revision", "image"],
)
def test_a_difference_fails_and_is_named(verify, server, change, message):
    change(server)
    done = verify()
    assert done.returncode == 1
    assert "The service at http://loans.test is not what was deployed:" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
