"""What one connection may do: requests in a row, at once, in advance; and websockets."""

import json
import shutil
import subprocess
import threading

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from tests.integration.infra.local.traffic.stage import until
from tests.integration.infra.local.traffic.test_bodies import POST, body_of

GET = b"GET %s HTTP/1.1\r\nHost: web.localhost\r\n"


def test_a_connection_serves_one_request_after_the_other(stage, instance):
    with stage.raw() as client, client.makefile("rb") as answers:
        for method, path, body in [("GET", "/", b"hello\n"), ("GET", "/nothing", b"no\n")] * 3:
            client.sendall(f"{method} {path} HTTP/1.1\r\nHost: web.localhost\r\n\r\n".encode())
            assert body_of(answers) == body
    assert instance.connections == 1


def test_connections_to_instances_are_kept_between_clients(stage, instance):
    for _ in range(5):
        assert stage.get().text == "hello\n"
    assert instance.connections == 1


def test_requests_sent_at_once_are_answered_in_order(stage, instance):
    one = POST % b"/size" + b"Content-Length: %d\r\n\r\n%s"
    with stage.raw() as client, client.makefile("rb") as answers:
        client.sendall(b"".join(one % (size, b"x" * size) for size in (1, 22, 333)))
        assert [body_of(answers) for _ in range(3)] == [b"1", b"22", b"333"]


def test_a_bad_request_after_good_ones_is_refused_when_those_are_answered(stage, instance):
    said = stage.say(GET % b"/" + b"\r\n" + GET % b"/" + b"\r\nnonsense\r\n\r\n")
    assert said.count(b"HTTP/1.1 200 ") == 2
    assert said.count(b"HTTP/1.1 400 ") == 1
    assert said.index(b"HTTP/1.1 400") > said.rindex(b"HTTP/1.1 200")


def test_a_client_that_wishes_so_is_hung_up_on(stage, instance):
    said = stage.say(GET % b"/" + b"Connection: close\r\n\r\n")
    assert b"connection: close" in said


def test_http_1_0_closes_unless_it_says_otherwise(stage, instance):
    assert stage.say(b"GET / HTTP/1.0\r\nHost: web.localhost\r\n\r\n").endswith(b"hello\n")
    with stage.raw() as client, client.makefile("rb") as answers:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.0\r\nHost: web.localhost\r\nConnection: keep-alive\r\n\r\n")
            assert body_of(answers) == b"hello\n"


def test_head_has_no_body_and_the_connection_goes_on(stage, instance):
    instance.pages["/chunks"] = lambda call: (
        call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        if call.method == "HEAD"
        else call.chunks([b"chunk"])
    )
    with stage.client() as client:
        for path, body in (("/", "hello\n"), ("/chunks", "chunk")):
            for method in ("HEAD", "GET", "HEAD", "GET"):
                answer = client.request(method, path)
                assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else body)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_never_has_a_body_has_none(stage, instance, status):
    instance.pages["/none"] = lambda call: call.send(b"HTTP/1.1 %d None\r\n\r\n" % status)
    with stage.client() as client:
        for _ in range(2):
            assert client.get("/none").status_code == status
            assert client.get("/").text == "hello\n"


def test_a_client_is_told_to_continue_when_an_instance_is_there(stage, instance):
    with stage.raw() as client, client.makefile("rb") as answers:
        client.sendall(POST % b"/size" + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        answers.readline()
        client.sendall(b"hello")
        assert body_of(answers) == b"5"
    assert b"Expect" not in instance.heads[0]


def test_a_client_that_does_not_wait_is_not_told_to_continue(stage, instance):
    head = POST % b"/size" + b"Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    assert b"100 Continue" not in stage.say(head + b"hello")


def test_a_client_is_not_told_to_continue_where_nothing_is_served(stage):
    said = stage.say(POST % b"/" + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 404 ")


def test_early_hints_are_passed_on_and_continues_are_not(stage, instance):
    @instance.page("/hints")
    def hints(call):
        call.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        call.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        call.respond(b"page")

    said = stage.say(GET % b"/hints" + b"Connection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 103 \r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 103" not in stage.say(b"GET /hints HTTP/1.0\r\nHost: web.localhost\r\n\r\n")


def test_http_2_is_refused_in_its_own_words(stage):
    said = stage.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    assert said[:9] == b"\0\0\0\4\0\0\0\0\0"
    length, kind, code = int.from_bytes(said[9:12]), said[12], int.from_bytes(said[22:26])
    assert (kind, code) == (7, 0xD)  # GOAWAY, HTTP_1_1_REQUIRED
    assert said[26:] == b"HTTP/2 without TLS is not served here: use HTTP/1.1"
    assert len(said) == 9 + 9 + length


def test_curl_falls_back_from_an_upgrade_to_http_2(stage, instance):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    url = f"http://127.0.0.1:{stage.port}/size"
    command = [curl, "-sS", "--http2", "-H", "Host: web.localhost", "-d", "hello", url]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"5"


def socket_to(stage, path="/ws", **how):
    return connect(f"ws://web.localhost:{stage.port}{path}", sock=stage.raw(), proxy=None, **how)


@pytest.fixture
def websockets(stage):
    """A real websocket server as the instance: it echoes; `closes` has how each connection ended."""
    closes = []

    def handle(connection):
        try:
            for message in connection:
                connection.send(message)
        except ConnectionClosed:
            pass
        closes.append((connection.close_code, connection.close_reason))

    with serve(handle, "127.0.0.1", 0, max_size=None, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stage.add("web-1", "ws-1", server.socket.getsockname()[1])
        stage.route()
        yield closes
        server.shutdown()
        thread.join()


def test_a_websocket_talks_both_ways(stage, websockets):
    with socket_to(stage, max_size=None) as client:
        for message in ("hello", b"\0\1\2", "x" * 3_000_000):
            client.send(message)
            assert client.recv(10) == message


def test_a_clients_close_of_a_websocket_reaches_the_instance(stage, websockets):
    with socket_to(stage) as client:
        client.close(4001, "enough")
    assert until(lambda: websockets == [(4001, "enough")])


def test_an_instances_close_of_a_websocket_reaches_the_client(stage, instance):
    def handle(connection):
        connection.close(4002, "go")

    with serve(handle, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stage.places.revisions.clear()
        stage.add("web-1", "ws-1", server.socket.getsockname()[1])
        with socket_to(stage) as client, pytest.raises(ConnectionClosed):
            client.recv(10)
        assert (client.close_code, client.close_reason) == (4002, "go")
        server.shutdown()


def test_a_websocket_is_logged_when_it_ends_and_its_place_is_given_back(stage, websockets):
    with socket_to(stage) as client:
        client.send("x")
        client.recv(10)
        assert stage.places.busy["ws-1"] == 1
        assert not stage.entries
    assert until(lambda: stage.entries)
    assert stage.requests()[0]["status"] == 101
    assert stage.places.busy["ws-1"] == 0


def test_a_websocket_that_an_instance_does_not_want_is_refused(stage, instance):
    instance.pages["/ws"] = lambda call: call.respond(json.dumps({"no": True}).encode(), "403 Forbidden")
    with pytest.raises(InvalidStatus) as refused:
        socket_to(stage)
    assert refused.value.response.status_code == 403
    assert refused.value.response.body == b'{"no": true}'


def test_a_websocket_ends_when_its_instance_dies(stage, instance):
    @instance.page("/ws")
    def tunnel(call):
        call.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        call.stream.read1(1)
        instance.die()

    with stage.raw() as client, client.makefile("rb") as answers:
        client.sendall(GET % b"/ws" + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nx")
        assert answers.read().endswith(b"\r\n\r\n")


def test_a_websocket_ends_with_the_time_of_a_request(stage, websockets):
    stage.places.timeout = 0.3
    with socket_to(stage) as client, pytest.raises(ConnectionClosed):
        client.recv(10)
