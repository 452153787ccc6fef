"""How many instances there are: from none to the most, and back."""

import time
from concurrent.futures import ThreadPoolExecutor


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_idle_revision_goes_to_zero_and_comes_back_for_a_request(staged):
    spec = staged.deploy()
    until(lambda: staged.tell("instances", spec.key) == 0)
    assert staged.get().status == 200
    assert staged.tell("instances", spec.key) == 1


def test_min_instances_stay_warm(staged):
    spec = staged.deploy(min_instances=2)
    until(lambda: staged.tell("instances", spec.key) == 2)
    staged.get("/sleep?0.8")
    assert staged.tell("instances", spec.key) == 2


def test_requests_beyond_the_concurrency_get_instances_of_their_own_up_to_the_most(staged):
    spec = staged.deploy(concurrency=1, max_instances=3)
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(staged.get, "/sleep?0.4") for _ in range(6)]
        until(lambda: staged.tell("instances", spec.key) == 3)
        assert [answer.result().status for answer in answers] == [200] * 6
        assert staged.tell("instances", spec.key) == 3


def test_a_request_that_finds_all_instances_busy_for_too_long_gets_429(staged):
    staged.deploy(concurrency=1, max_instances=1)
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(staged.get, "/sleep?3")
        until(lambda: staged.get().status == 429)
        assert busy.result().status == 200
    assert "The request was aborted because there was no available instance." in staged.texts("requests")


def test_a_request_waits_for_an_instance_that_starts_slowly(staged):
    spec = staged.deploy(env={"START_DELAY": "0.5"})
    until(lambda: staged.tell("instances", spec.key) == 0)
    assert staged.get().status == 200


def test_a_revision_that_is_retired_ends_what_it_has_begun(staged):
    spec = staged.deploy()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(staged.get, "/sleep?0.5")
        until(lambda: b"instance_count" in staged.get("/metrics", headers={"Host": "localhost"}).body)
        time.sleep(0.1)
        staged.tell("retire", spec.key)
        assert slow.result().status == 200
    assert staged.get().status == 503
