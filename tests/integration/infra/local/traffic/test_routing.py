"""Where requests go: hosts, tags, percents, session affinity; and a split that changes under load."""

from collections import Counter
from contextlib import AsyncExitStack

import pytest

from infra.local.runtime.contract import Target
from tests.integration.infra.local.traffic.load import Load, quick
from tests.integration.infra.local.traffic.stage import key


def test_a_host_is_served_whatever_its_case_and_port(stage, instance):
    for host in (
        "web.localhost",
        "WEB.localhost",
        "web.localhost:8080",
        f"web.localhost:{stage.port}",
        "web.localhost.",
    ):
        assert stage.get(host=host).text == "hello\n"


@pytest.mark.parametrize(
    "host", ["no.localhost", "localhost", "x---web.localhost", "web", "[::1]:80", "web.localhost.evil"]
)
def test_a_host_that_is_not_known_gets_googles_404(stage, instance, host):
    answer = stage.get("/some/path?query", host=host)
    assert answer.status_code == 404
    assert "Error 404 (Page not found)!!1" in answer.text
    assert "<code>/some/path</code> was not found on this server" in answer.text
    assert not instance.heads


def test_a_host_is_known_until_it_is_not(stage, instance):
    assert stage.get().status_code == 200
    stage.call(stage.front.unroute, "web.localhost")
    stage.call(stage.front.unroute, "web.localhost")
    assert stage.get().status_code == 404


def test_a_tag_has_a_host_of_its_own(stage):
    named(stage, "web-1", "web-2")
    stage.route({"web-1": 100}, {"next": "web-2"})
    assert {stage.get().text for _ in range(5)} == {"web-1"}
    assert stage.get(host="next---web.localhost").text == "web-2"
    stage.route({"web-1": 100})
    assert stage.get(host="next---web.localhost").status_code == 404


def test_a_service_with_tags_alone_has_nothing_at_its_own_host(stage):
    named(stage, "web-1")
    stage.route({"web-1": 0}, {"blue": "web-1"})
    assert stage.get().status_code == 404
    assert stage.get(host="blue---web.localhost").text == "web-1"


@pytest.mark.parametrize("percents", [(90, 10), pytest.param((1, 34, 65), marks=pytest.mark.slow)])
def test_ten_thousand_requests_are_split_within_half_a_point(stage, percents):
    names = [f"web-{number}" for number in range(len(percents))]
    counts = run(stage, names, 10_000, dict(zip(names, percents, strict=True)))
    for name, percent in zip(names, percents, strict=True):
        assert abs(counts[name] / 100 - percent) < 0.5


def test_a_client_stays_with_its_instance(stage):
    stage.instance(pages={"/": lambda call: call.respond(b"one")})
    stage.instance(pages={"/": lambda call: call.respond(b"two")})
    stage.route(affinity=True)
    with stage.client() as client:
        first = client.get("/")
        cookie = first.headers["set-cookie"]
        assert cookie.startswith("GAESA=")
        assert "Max-Age=2592000" in cookie
        for _ in range(10):
            stage.get()  # somebody else
            answer = client.get("/")
            assert answer.text == first.text
            assert "set-cookie" not in answer.headers


def test_a_client_whose_instance_is_gone_gets_another_and_stays_there(stage):
    one = stage.instance(pages={"/": lambda call: call.respond(b"one")})
    stage.route(affinity=True)
    with stage.client() as client:
        assert client.get("/").text == "one"
        one.die()
        stage.places.revisions.clear()
        stage.instance(pages={"/": lambda call: call.respond(b"two")})
        moved = client.get("/")
        assert moved.text == "two"
        assert "set-cookie" in moved.headers
        stage.instance(pages={"/": lambda call: call.respond(b"three")})
        assert {client.get("/").text for _ in range(6)} == {"two"}


def test_a_client_stays_with_its_revision_until_that_has_no_traffic(stage):
    named(stage, "web-1", "web-2")
    stage.route({"web-1": 50, "web-2": 50}, affinity=True)
    with stage.client() as client:
        first = client.get("/").text
        other = "web-2" if first == "web-1" else "web-1"
        assert {client.get("/").text for _ in range(20)} == {first}
        stage.route({first: 0, other: 100}, affinity=True)
        assert {client.get("/").text for _ in range(5)} == {other}


@pytest.mark.parametrize(
    "cookie", ["GAESA=", "GAESA=%00", "GAESA=!!!!", "GAESA=" + "A" * 9000, "GAESA=L2luc3RhbmNlcy8"]
)
def test_a_cookie_that_is_none_of_ours_wishes_for_nothing(stage, instance, cookie):
    stage.route(affinity=True)
    answer = stage.get(headers={"cookie": cookie})
    assert answer.text == "hello\n"
    assert "set-cookie" in answer.headers


def test_there_are_no_cookies_without_affinity(stage, instance):
    assert "set-cookie" not in stage.get().headers


def test_a_request_in_flight_stays_where_it_is(stage):
    named(stage, "web-1", "web-2")
    with stage.raw() as client:
        client.sendall(
            b"POST /echo HTTP/1.1\r\nHost: web.localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
        )
        head = client.recv(65536)
        stage.route({"web-2": 100})
        assert stage.get().text == "web-2"
        client.sendall(b"1\r\nb\r\n0\r\n\r\n")
        while not head.endswith(b"0\r\n\r\n"):
            head += client.recv(65536)
        assert b"1\r\nb\r\n" in head


def test_a_percent_out_of_range_changes_nothing(stage, instance):
    with pytest.raises(ValueError, match=r"web\.localhost"):
        stage.route({"web-1": 101})
    assert stage.get().text == "hello\n"


@pytest.mark.parametrize("requests", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_no_request_is_lost_while_the_split_moves(stage, requests):
    moves = (0, 10, 50, 100, 0)
    counts = Counter()

    async def under_load():
        async with AsyncExitStack() as instances:
            for name in ("web-1", "web-2"):
                stage.add(name, f"{name}-a", await instances.enter_async_context(quick(name)))
            split(stage, moves[0])
            async with Load(stage.port, requests, connections=16) as load:
                for number, percent in enumerate(moves):
                    split(stage, percent)
                    counts.update(await load.until(requests * (number + 1) // len(moves)))
            assert load.failed == []

    stage.call_for(under_load, 120)
    assert counts.total() == requests
    expected = requests * sum(moves) / len(moves) / 100
    assert abs(counts["web-2"] - expected) < requests / 100 + 32  # some are on their way while it moves


def test_no_request_is_lost_when_an_instance_goes_in_between(stage):
    """As when a revision without traffic is retired: nothing new goes to it, then it ends."""
    stays, goes = stage.instance(), stage.instance()
    stage.route()
    with stage.client() as client:
        assert all(client.get("/").status_code == 200 for _ in range(10))
        del stage.places.revisions[key("web-1")][goes.name]
        goes.die()
        assert all(client.get("/").status_code == 200 for _ in range(10))
    assert stays.heads


def split(stage, percent):
    targets = (Target(key("web-1"), 100 - percent), Target(key("web-2"), percent))
    stage.front.route("web.localhost", targets)


def named(stage, *names):
    for name in names:
        stage.instance(name, {"/": lambda call, name=name: call.respond(name.encode())})
    stage.route({names[0]: 100})


def run(stage, names, requests, percents):
    """How many requests each revision answers."""

    async def measure():
        async with AsyncExitStack() as instances:
            for name in names:
                stage.add(name, f"{name}-a", await instances.enter_async_context(quick(name)))
            async with Load(stage.port, requests, connections=16) as load:
                counts = await load.until(requests)
            assert not load.failed
            return counts

    stage.route(percents)
    return stage.call_for(measure, 60)
