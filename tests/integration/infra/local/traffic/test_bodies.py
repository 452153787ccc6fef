"""Bodies on their way through, in both directions, as streams."""

import http.client
import os
import threading
import tracemalloc

import httpx
import pytest

from tests.integration.infra.local.traffic.stage import until

POST = b"POST %s HTTP/1.1\r\nHost: web.localhost\r\n"


def body_of(answers):
    length = 0
    while (line := answers.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return answers.read(length)


def test_a_body_of_ten_megabytes_arrives_whole(stage, instance):
    with stage.client() as client:
        assert client.post("/size", content=os.urandom(10 << 20)).text == "10485760"


def test_a_body_and_its_echo_flow_at_once(stage, instance):
    body = os.urandom(10 << 20)
    with stage.raw() as client:
        head = POST % b"/echo" + b"Content-Length: %d\r\n\r\n" % len(body)
        sender = threading.Thread(target=client.sendall, args=(head + body,))
        sender.start()
        response = http.client.HTTPResponse(client, method="POST")
        response.begin()
        assert response.read() == body
        sender.join()


def test_a_chunked_body_arrives_whole_and_is_echoed_in_chunks(stage, instance):
    pieces = [os.urandom(1000) for _ in range(50)]
    with stage.client() as client:
        assert client.post("/echo", content=iter(pieces)).content == b"".join(pieces)


def test_a_body_comes_back_before_it_is_all_sent(stage, instance):
    with stage.raw() as client, client.makefile("rb") as answers:
        client.sendall(POST % b"/echo" + b"Transfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two"):
            client.sendall(b"3\r\n%s\r\n" % word)
            while word not in answers.readline():
                pass
        client.sendall(b"0\r\n\r\n")
        assert answers.read().endswith(b"0\r\n\r\n")


def test_events_arrive_as_they_are_sent(stage, instance):
    heard = threading.Event()

    @instance.page("/events")
    def events(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            call.send(b"data: %d\n\n" % number)
            assert heard.wait(5)  # not before the client has it
            heard.clear()
        call.hang_up()

    with stage.client() as client, client.stream("GET", "/events") as response:
        assert response.headers["content-type"] == "text/event-stream"
        for number, event in enumerate(response.iter_raw()):
            assert event == b"data: %d\n\n" % number
            heard.set()
    assert number == 2


def test_an_upload_waits_for_an_instance_that_does_not_read(stage, instance):
    read, reached = threading.Event(), []

    @instance.page("/later")
    def later(call):
        assert read.wait(20)
        call.respond(str(sum(map(len, call.pieces()))).encode())

    with stage.raw(1) as client:
        client.sendall(POST % b"/later" + b"Content-Length: %d\r\n\r\n" % (30 << 20))
        sent = 0
        try:
            while sent < 30 << 20:
                sent += client.send(b"x" * 65536)
        except TimeoutError:
            reached.append(sent)
        # What is between the client and the instance is what sockets hold, and a little of the proxy's.
        assert reached
        assert sent < 25 << 20
        read.set()
        client.settimeout(20)
        while sent < 30 << 20:
            sent += client.send(b"x" * min(65536, (30 << 20) - sent))
        with client.makefile("rb") as answers:
            assert body_of(answers) == b"31457280"


def test_a_download_waits_for_a_client_that_does_not_read(stage, instance):
    sent = []

    @instance.page("/flood")
    def flood(call):
        call.send(b"HTTP/1.1 200 OK\r\n\r\n")
        call.connection.settimeout(1)
        try:
            for _ in range(4000):
                call.send(b"x" * 65536)
                sent.append(65536)
        except TimeoutError:
            sent.append(None)

    with stage.raw() as client:
        client.sendall(b"GET /flood HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
        assert until(lambda: sent and sent[-1] is None)
    assert sum(filter(None, sent)) < 50 << 20


def test_responses_wait_when_those_before_them_were_not_read(stage, instance):
    """Else a client could have the proxy keep any number of them."""
    instance.pages["/part"] = lambda call: call.respond(b"x" * 200_000)
    with stage.raw() as client:
        client.sendall(b"GET /part HTTP/1.1\r\nHost: web.localhost\r\n\r\n" * 200)
        assert until(lambda: len(instance.heads) > 5)
        assert not until(lambda: len(instance.heads) > 100, 1)


def test_a_connection_to_an_instance_is_not_left_waiting_for_a_former_client(stage, instance):
    instance.pages["/part"] = lambda call: call.respond(b"x" * 100_000)
    with stage.raw() as lazy:
        until(lambda: stage.front._connections)
        (connection,) = stage.front._connections
        while connection._full_since is None:
            asked = len(stage.entries)
            lazy.sendall(b"GET /part HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
            assert until(lambda asked=asked: len(stage.entries) > asked)
        assert stage.get("/part").content == b"x" * 100_000
    assert instance.connections == 1


def test_a_response_without_a_length_ends_with_its_connection(stage, instance):
    assert stage.get("/until-close").content == b"all of it"


def test_a_client_of_http_1_0_gets_no_chunks(stage, instance):
    said = stage.say(b"POST /echo HTTP/1.0\r\nHost: web.localhost\r\nContent-Length: 5\r\n\r\nhello")
    head, _, body = said.partition(b"\r\n\r\n")
    assert body == b"hello"
    assert b"transfer-encoding" not in head


def test_trailers_go_no_further(stage, instance):
    @instance.page("/trailers")
    def trailers(call):
        list(call.pieces())
        call.send(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"
        )

    request = POST % b"/trailers" + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = stage.say(request + b"1\r\nx\r\n0\r\nX-Admin: yes\r\n\r\n")
    assert said.endswith(b"2\r\nok\r\n0\r\n\r\n")
    assert b"X-Sum" not in said
    assert b"X-Admin" not in b"".join(instance.heads)


def test_an_empty_chunked_response_is_whole(stage, instance):
    instance.pages["/empty"] = lambda call: call.chunks([])
    assert stage.get("/empty").content == b""


def test_a_body_over_the_limit_is_413_before_it_is_sent(stage, instance):
    head = POST % b"/size" + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n"
    said = stage.say(head % ((32 << 20) + 1))
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"Error: Request Entity Too Large" in said
    assert not instance.heads


def test_a_chunked_body_is_413_when_it_gets_too_long(stage, instance):
    gone = threading.Event()

    @instance.page("/never")
    def never(call):
        list(call.pieces())

    @instance.page("/size")
    def size(call):
        try:
            list(call.pieces())
        except (ValueError, OSError):
            gone.set()

    def pieces():
        for _ in range(33):
            yield b"x" * (1 << 20)

    with stage.client() as client:
        assert client.post("/size", content=pieces()).status_code == 413
    assert gone.wait(5)


def test_a_body_at_the_limit_is_served(stage, instance):
    with stage.client() as client:
        assert client.post("/size", content=b"x" * (32 << 20)).text == str(32 << 20)


def test_an_answer_that_comes_before_the_body_is_all_sent_is_passed_on(stage, instance):
    instance.pages["/no"] = lambda call: (call.respond(b"no", "403 Forbidden"), call.ended())
    with stage.raw() as client:
        client.sendall(POST % b"/no" + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1000)
        response = http.client.HTTPResponse(client, method="POST")
        response.begin()
        assert (response.status, response.read(), response.getheader("connection")) == (403, b"no", "close")


def test_streams_take_no_memory(stage, instance):
    piece = b"x" * 65536
    instance.pages["/long"] = lambda call: call.chunks([piece] * 400)
    with stage.client() as client:
        client.post("/size", content=iter([piece]))
        tracemalloc.start()
        try:
            assert client.post("/size", content=iter([piece] * 400)).text == str(400 * 65536)
            with client.stream("GET", "/long") as response:
                assert sum(map(len, response.iter_raw())) == 400 * 65536
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def test_a_cut_response_is_cut_for_the_client(stage, instance):
    with pytest.raises(httpx.TransportError):
        stage.get("/cut")
