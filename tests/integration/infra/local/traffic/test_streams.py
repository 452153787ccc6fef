"""Requests and responses on their way through, as streams."""

import base64
import http.client
import os
import socket
import threading

import pytest


def raw(staged):
    return socket.create_connection(("127.0.0.1", staged.port), 10)


def test_a_body_of_ten_megabytes_arrives_whole(staged):
    staged.deploy()
    body = os.urandom(10 << 20)
    assert staged.get("/size", method="POST", body=body).body == b"10485760"


def test_a_body_and_its_echo_flow_at_once(staged):
    staged.deploy()
    body = os.urandom(10 << 20)
    connection = staged.connect()
    connection.connect()
    head = b"POST /echo HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    sender = threading.Thread(target=connection.sock.sendall, args=(head + body,))
    sender.start()
    response = http.client.HTTPResponse(connection.sock, method="POST")
    response.begin()
    assert response.read() == body
    sender.join()
    response.close()
    connection.close()


def test_a_chunked_body_arrives_whole(staged):
    staged.deploy()
    pieces = [os.urandom(1000) for _ in range(50)]
    answer = staged.get(
        "/echo",
        method="POST",
        body=iter(pieces),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert answer.body == b"".join(pieces)


def test_a_body_comes_back_before_it_is_all_sent(staged):
    staged.deploy()
    with raw(staged) as client, client.makefile("rb") as answers:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: web.localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two"):
            client.sendall(b"3\r\n%s\r\n" % word)
            while word not in answers.readline():
                pass
        client.sendall(b"0\r\n\r\n")
        assert answers.read().endswith(b"0\r\n\r\n")


def test_a_connection_serves_one_request_after_the_other(staged):
    staged.deploy()
    connection = staged.connect()
    for path in ("/", "/who", "/nothing", "/echo", "/"):
        connection.request("GET", path, headers={"Host": "web.localhost"})
        answer = connection.getresponse()
        answer.read()
        assert not answer.will_close
        assert answer.status == (404 if path == "/nothing" else 200)
    connection.close()


def test_requests_sent_at_once_are_answered_in_order(staged):
    staged.deploy()
    one = b"POST /size HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: %d\r\n\r\n%s"
    with raw(staged) as client, client.makefile("rb") as answers:
        client.sendall(b"".join(one % (size, b"x" * size) for size in (1, 22, 333)))
        assert [_body(answers) for _ in range(3)] == [b"1", b"22", b"333"]


def test_head_has_no_body_and_the_connection_goes_on(staged):
    staged.deploy()
    connection = staged.connect()
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, "/", headers={"Host": "web.localhost"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"" if method == "HEAD" else b"hello\n")
    connection.close()


def test_a_response_without_a_length_ends_with_its_connection(staged):
    staged.deploy()
    assert staged.get("/until-close").body == b"all of it"


def test_a_response_that_is_cut_off_is_cut_off_for_the_client(staged):
    staged.deploy()
    connection = staged.connect()
    connection.request("GET", "/cut", headers={"Host": "web.localhost"})
    response = connection.getresponse()
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        response.read()
    connection.close()


def test_a_response_that_is_no_http_is_503(staged):
    staged.deploy()
    assert staged.get("/nonsense").status == 503


def test_a_request_that_takes_too_long_is_504(staged):
    staged.deploy(timeout=0.3)
    answer = staged.get("/sleep?5")
    assert (answer.status, answer.body) == (504, b"upstream request timeout\n")


def test_a_client_is_told_to_continue_when_an_instance_is_there(staged):
    staged.deploy()
    with raw(staged) as client, client.makefile("rb") as answers:
        client.sendall(
            b"POST /size HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        answers.readline()
        client.sendall(b"hello")
        assert _body(answers) == b"5"


def test_a_websocket_is_a_tunnel(staged):
    staged.deploy()
    with raw(staged) as client, client.makefile("rb") as answers:
        key = base64.b64encode(os.urandom(16))
        client.sendall(
            b"GET /ws HTTP/1.1\r\nHost: web.localhost\r\nConnection: keep-alive, Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\nearly" % key
        )
        assert answers.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while answers.readline() != b"\r\n":
            pass
        assert answers.read(5) == b"early"
        data = os.urandom(300_000)
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        assert answers.read(len(data)) == data
        sender.join()


def test_a_client_that_leaves_frees_its_place(staged):
    staged.deploy(concurrency=1, max_instances=1)
    with raw(staged) as client:
        client.sendall(b"GET /sleep?30 HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
    assert staged.get().status == 200


def test_an_instance_sees_who_asks_and_the_trace(staged):
    staged.deploy()
    trace = "0af7651916cd43dd8448eb211c80319c"
    lines = (
        staged.get(
            "/raw",
            headers={
                "traceparent": f"00-{trace}-b7ad6b7169203331-01",
                "X-Forwarded-For": "10.0.0.9",
                "X-Forwarded-Proto": "gopher",
                "Forwarded": "for=evil",
                "Connection": "X-Private",
                "X-Private": "1",
            },
        )
        .body.decode()
        .lower()
        .split("\r\n")
    )
    fields = dict(line.partition(": ")[::2] for line in lines[1:] if line)
    assert fields["host"] == "web.localhost"
    assert fields["x-forwarded-for"] == "10.0.0.9, 127.0.0.1"
    assert fields["x-forwarded-proto"] == "http"
    assert fields["traceparent"].startswith(f"00-{trace}-")
    assert fields["x-cloud-trace-context"].startswith(f"{trace}/")
    assert "forwarded" not in fields
    assert "x-private" not in fields


def _body(answers):
    length = 0
    while (line := answers.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return answers.read(length)
