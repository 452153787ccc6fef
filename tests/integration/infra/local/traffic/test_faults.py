"""Clients and instances at their worst: slow, silent, gone in the middle of it."""

import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from infra.local.traffic import Limits, Unavailable
from tests.integration.infra.local.traffic.stage import Stage, key, until
from tests.integration.infra.local.traffic.test_bodies import POST, body_of

GET = b"GET %s HTTP/1.1\r\nHost: web.localhost\r\n\r\n"


@contextmanager
def staged(**limits):
    stage = Stage(Limits(**limits))
    try:
        instance = stage.instance()
        stage.route()
        yield stage, instance
    finally:
        stage.close()


def memory():
    """Bytes that this process has in memory."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10


@pytest.mark.slow
def test_ten_thousand_slow_clients_take_little_and_keep_nobody_waiting():
    with staged(head_time=60) as (stage, _):
        stage.get()
        before = memory()
        script = Path(__file__).with_name("slow_clients.py")
        command = [sys.executable, script, str(stage.port), "10000"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clients:
            assert clients.stdout.readline() == b"there\n"
            assert until(lambda: len(stage.front._connections) == 10_000)
            taken = []
            with stage.client() as client:
                for _ in range(100):
                    began = time.perf_counter()
                    assert client.get("/").status_code == 200
                    taken.append(time.perf_counter() - began)
            grown = memory() - before
        assert until(lambda: not stage.front._connections)
    assert sorted(taken)[50] < 0.1
    assert grown < 10_000 * (16 << 10)


def test_a_head_that_takes_too_long_is_408():
    with staged(head_time=0.3) as (stage, _), stage.raw() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: web.lo")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 408 ")


def test_a_client_that_says_nothing_is_hung_up_on():
    with staged(head_time=0.3) as (stage, _), stage.raw() as client:
        assert client.recv(1) == b""


def test_a_body_that_stops_frees_its_place():
    with staged(stall_time=0.4) as (stage, _), stage.raw() as client:
        client.sendall(POST % b"/size" + b"Content-Length: 10\r\n\r\nhello")
        assert client.recv(1) == b""
        assert until(lambda: stage.places.busy["web-1-1"] == 0)
        assert stage.logged().payload["httpRequest"]["status"] == 499


def test_a_response_that_is_not_taken_frees_its_place():
    with staged(stall_time=0.4) as (stage, instance), stage.raw() as client:
        instance.pages["/flood"] = lambda call: call.chunks(b"x" * 65536 for _ in range(1000))
        client.sendall(GET % b"/flood")
        assert until(lambda: stage.places.busy["web-1-1"] == 1)
        assert until(lambda: stage.places.busy["web-1-1"] == 0)


def test_a_slow_instance_is_no_slow_client():
    with staged(head_time=0.2, stall_time=0.2, idle_time=0.2) as (stage, instance):
        instance.pages["/slow"] = lambda call: (call.ended(1), call.respond(b"at last"))
        assert stage.get("/slow").text == "at last"


def test_an_idle_connection_is_closed_after_a_while():
    with staged(idle_time=0.3) as (stage, _), stage.raw() as client, client.makefile("rb") as answers:
        client.sendall(GET % b"/")
        assert body_of(answers) == b"hello\n"
        assert client.recv(1) == b""


def test_newcomers_are_let_in_when_all_connections_are_taken_by_idlers():
    with staged(connections=5) as (stage, _):
        idlers = [stage.raw() for _ in range(20)]
        for _ in range(5):
            assert stage.get().text == "hello\n"
        assert len(stage.front._connections) <= 5
        for idler in idlers:
            idler.close()


def test_newcomers_do_not_displace_those_who_are_served():
    with staged(connections=2) as (stage, instance):
        go = threading.Event()
        instance.pages["/wait"] = lambda call: (go.wait(10), call.respond(b"served"))
        busy = [stage.raw() for _ in range(2)]
        for client in busy:
            client.sendall(GET % b"/wait")
        assert until(lambda: stage.places.busy["web-1-1"] == 2)
        with pytest.raises(httpx.TransportError):
            stage.get()
        go.set()
        for client in busy:
            with client.makefile("rb") as answers:
                assert body_of(answers) == b"served"
            client.close()


def test_a_response_to_http_1_0_that_breaks_off_does_not_look_whole(stage, instance):
    instance.pages["/cut-chunk"] = lambda call: (
        call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        call.hang_up(),
    )
    with stage.raw() as client, client.makefile("rb") as answer:
        client.sendall(GET.replace(b"1.1", b"1.0") % b"/cut-chunk")
        with pytest.raises(ConnectionResetError):
            answer.read()


def test_a_response_that_breaks_off_breaks_off_for_the_client(stage, instance):
    instance.pages["/cut-chunk"] = lambda call: (
        call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        call.hang_up(),
    )
    for path in ("/cut", "/cut-chunk"):
        with pytest.raises(httpx.TransportError):
            stage.get(path)
    stage.logged(2)
    assert [entry.severity for entry in stage.entries] == ["INFO", "INFO"]
    assert all("malformed or connection" in entry.text for entry in stage.entries)


def test_an_instance_that_dies_in_the_middle_of_a_response_ends_it(stage, instance):
    @instance.page("/die")
    def die(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        instance.die()

    with pytest.raises(httpx.TransportError):
        stage.get("/die")
    assert until(lambda: stage.places.busy[instance.name] == 0)


def test_an_instance_that_dies_before_it_answers_is_503(stage, instance):
    instance.pages["/die"] = lambda call: call.hang_up()
    answer = stage.get("/die")
    assert (answer.status_code, answer.text) == (503, "Service Unavailable\n")
    assert stage.logged().severity == "ERROR"


def test_a_request_that_an_instance_may_have_acted_on_is_not_sent_again(stage, instance):
    instance.pages["/die"] = lambda call: call.hang_up()
    with stage.client() as client:
        client.get("/")
        assert client.post("/die", content=b"x").status_code == 503
        assert client.get("/die").status_code == 503
    assert sum(b" /die " in head for head in instance.heads if head.startswith(b"POST")) == 1


def test_a_connection_that_an_instance_closed_meanwhile_costs_no_request(stage, instance):
    """Servers close idle connections; the next request may be on its way just then."""

    @instance.page("/once")
    def once(call):
        call.respond(b"once")
        call.stream.readline()  # the next request comes, and the connection ends unanswered
        call.hang_up()

    with stage.client() as client:
        for _ in range(5):
            assert client.get("/once").text == "once"
            assert client.get("/").text == "hello\n"


def test_a_request_finds_another_instance_when_its_own_has_just_died(stage):
    one, two = stage.instance(), stage.instance()
    stage.route()
    one.die()
    for _ in range(4):
        assert stage.get().text == "hello\n"
    assert stage.places.condemned == [one.name]
    assert two.heads


def test_an_instance_learns_that_its_client_is_gone(stage, instance):
    learned = threading.Event()

    @instance.page("/wait")
    def wait(call):
        if call.ended(10):
            learned.set()

    with stage.raw() as client:
        client.sendall(GET % b"/wait")
        assert until(lambda: instance.heads)
    assert learned.wait(5)
    entry = stage.logged()
    assert entry.payload["httpRequest"]["status"] == 499
    assert stage.places.busy[instance.name] == 0


def test_an_instance_learns_that_its_client_is_gone_in_the_middle_of_events(stage, instance):
    learned = threading.Event()

    @instance.page("/events")
    def events(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        if call.ended(10):
            learned.set()

    with stage.client() as client, client.stream("GET", "/events") as response:
        assert next(response.iter_raw()) == b"data: 1\n\n"
    assert learned.wait(5)


def test_no_instance_is_429_and_nothing_of_it_reaches_the_figures(stage, instance):
    stage.places.room = 0
    answer = stage.get()
    assert (answer.status_code, answer.text) == (429, "Rate exceeded.\n")
    entry = stage.logged()
    assert (entry.severity, entry.text) == (
        "WARNING",
        "The request was aborted because there was no available instance.",
    )
    assert stage.front.metrics.series("run.googleapis.com/request_count", 0, time.time() + 60) == []


@pytest.mark.parametrize("why", ["", "The container could not start."])
def test_a_revision_that_cannot_start_is_503(stage, why):
    async def claim(_key, _instance=""):
        raise Unavailable(why)

    stage.places.claim = claim
    stage.route()
    assert stage.get().status_code == 503
    assert stage.logged().text == (
        why or "The request failed because the instance could not start successfully."
    )


def test_a_request_that_takes_too_long_is_504_and_the_instance_learns_of_it(stage, instance):
    learned = threading.Event()
    instance.pages["/wait"] = lambda call: call.ended(10) and learned.set()
    stage.places.timeout = 0.3
    answer = stage.get("/wait")
    assert (answer.status_code, answer.text) == (504, "upstream request timeout\n")
    assert learned.wait(5)
    assert "maximum request timeout" in stage.logged().text


def test_a_response_that_takes_too_long_is_broken_off(stage, instance):
    instance.pages["/drip"] = lambda call: (call.send(b"HTTP/1.1 200 OK\r\n\r\nx"), call.ended(10))
    stage.places.timeout = 0.3
    with pytest.raises(httpx.TransportError):
        stage.get("/drip")


@pytest.mark.parametrize("path", ["/cut", "/nonsense", "/until-close", "/", "/nothing"])
def test_a_place_is_given_back_whatever_happens(stage, instance, path):
    stage.places.room = 1
    for _ in range(3):
        with suppress(httpx.TransportError):
            assert stage.get(path).status_code != 429
    assert until(lambda: stage.places.busy[instance.name] == 0)
    assert stage.front.metrics._revisions[key("web-1")].active == 0


def test_requests_in_flight_are_answered_when_the_proxy_ends():
    with staged() as (stage, instance):
        go = threading.Event()
        instance.pages["/wait"] = lambda call: (go.wait(10), call.respond(b"served"))
        with stage.raw() as client, stage.raw() as idle, client.makefile("rb") as answers:
            client.sendall(GET % b"/wait")
            assert until(lambda: instance.heads)
            closing = threading.Thread(target=stage.close)
            closing.start()
            assert until(lambda: refused(stage))
            go.set()
            assert body_of(answers) == b"served"
            assert idle.recv(1) == b""
            closing.join()


def test_a_request_that_goes_on_and_on_is_ended_when_the_proxy_ends():
    with staged(drain_time=0.1) as (stage, instance), stage.raw() as client:
        client.sendall(GET % b"/silence")
        assert until(lambda: instance.heads)
        stage.close()
        assert client.recv(1) == b""


def refused(stage):
    try:
        stage.raw().close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it was about to be taken
        return True
    return False


def test_a_fault_of_the_proxys_own_ends_one_connection(stage, instance, caplog):
    def broken(_host, _authorization):
        raise RuntimeError("a hook of somebody's")

    stage.route(allowed=broken)
    with pytest.raises(httpx.TransportError):
        stage.get()
    assert "a hook of somebody's" in caplog.text
    stage.route()
    assert stage.get().status_code == 200
