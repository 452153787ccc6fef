"""What instances reach, and what reaches them."""

import http.server
import socket
import threading

import pytest

from infra.local.runtime.contract import DeployFailed, Probe
from tests.integration.infra.local.runtime.staged import Staged

QUICK = Probe("tcp", 8080, timeout=0.5, period=0.5, failure_threshold=1)


def test_a_service_calls_another_one_by_its_url(staged):
    staged.deploy("other", "other-1")
    staged.deploy()
    answer = staged.get(f"/ask?http://other.localhost:{staged.port}/env")
    assert answer.status == 200
    assert b'"K_SERVICE": "other"' in answer.body


def test_a_container_may_listen_on_any_port_even_the_metadata_server_s(staged):
    staged.deploy(port=80)
    assert staged.get().status == 200
    answer = staged.json("/metadata?/computeMetadata/v1/project/project-id")
    assert answer["body"] == "acme"


def test_two_instances_do_not_reach_each_other(staged):
    staged.deploy("other", "other-1")
    address = staged.get("/address", service="other").body.decode()
    staged.deploy()
    assert staged.get(f"/ask?http://{address}:8080/").status == 502
    assert staged.get("/address").body.decode() != address


def test_a_port_of_this_machine_that_was_not_published_is_out_of_reach(staged):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        staged.deploy()
        port = listener.getsockname()[1]
        assert staged.get(f"/ask?http://cloud.localhost:{port}/").status == 502
        assert staged.get(f"/ask?http://127.0.0.1:{port}/").status == 502


def test_names_are_those_of_this_cloud_and_of_this_machine(staged):
    staged.deploy()
    assert staged.get("/resolve?metadata.google.internal").body == b"169.254.169.254"
    assert staged.get("/resolve?web-abc.europe-west1.run.localhost").body == b"169.254.169.253"
    assert staged.get("/resolve?localhost").body == b"127.0.0.1"
    assert staged.get("/resolve?there-is-no-such-name.invalid").status == 502


def test_an_instance_reaches_the_outside_on_the_ports_that_are_open(image, state):
    """The outside is this machine's own address, as far as an instance can tell."""
    here = _address()
    if here is None:
        pytest.skip("this machine has no network at all")
    with http.server.ThreadingHTTPServer((here, 0), _Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        opened, closed = Staged(state, image, outward=(port,)), Staged(state / "closed", image, outward=())
        try:
            for staged, status in ((opened, 200), (closed, 502)):
                staged.deploy()
                assert staged.get(f"/ask?http://{here}:{port}/").status == status
        finally:
            opened.close()
            closed.close()
            server.shutdown()


def test_a_server_on_localhost_alone_is_not_reached(staged):
    with pytest.raises(DeployFailed, match="failed to start and listen on the port"):
        staged.tell("deploy", staged.spec(env={"MODE": "localhost"}, startup_probe=QUICK))


def _address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass
