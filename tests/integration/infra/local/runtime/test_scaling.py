"""How many instances there are: from none to the most, and back."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.infra.local.runtime.waiting import until


def test_an_idle_revision_goes_to_zero_and_comes_back_for_a_request(staged):
    spec = staged.deploy()
    assert until(lambda: staged.tell("instances", spec.key) == 0)
    assert staged.get().status == 200
    assert staged.tell("instances", spec.key) == 1


def test_min_instances_stay_warm(staged):
    spec = staged.deploy(min_instances=2)
    assert until(lambda: staged.tell("instances", spec.key) == 2)
    staged.get("/sleep?0.8")
    assert staged.tell("instances", spec.key) == 2


def test_requests_beyond_the_concurrency_get_instances_of_their_own_up_to_the_most(staged):
    spec = staged.deploy(concurrency=1, max_instances=3)
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(staged.get, "/sleep?0.4") for _ in range(6)]
        assert until(lambda: staged.tell("instances", spec.key) == 3)
        assert [answer.result().status for answer in answers] == [200] * 6
        assert sum(text.startswith("Starting new instance.") for text in staged.texts("system")) == 3


@pytest.mark.slow
def test_a_request_that_finds_all_instances_busy_for_too_long_gets_429(impatient):
    impatient.deploy(concurrency=1, max_instances=1)
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(impatient.get, "/sleep?10")
        assert until(lambda: impatient.get().status == 429)
        assert busy.result().status == 200
    assert "The request was aborted because there was no available instance." in impatient.texts("requests")


def test_a_request_waits_for_an_instance_that_starts_slowly(staged):
    spec = staged.deploy(env={"START_DELAY": "0.5"})
    assert until(lambda: staged.tell("instances", spec.key) == 0)
    assert staged.get().status == 200


def test_a_revision_that_is_retired_ends_what_it_has_begun(staged):
    spec = staged.deploy()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(staged.get, "/sleep?0.5")
        time.sleep(0.1)
        staged.tell("retire", spec.key)
        assert slow.result().status == 200
    assert staged.get().status == 503


def test_a_revision_that_is_deployed_already_gets_its_new_numbers_at_once(staged):
    spec = staged.deploy()
    staged.tell("deploy", staged.spec(min_instances=3))
    assert until(lambda: staged.tell("instances", spec.key) == 3)
    staged.tell("deploy", staged.spec(min_instances=1))
    assert until(lambda: staged.tell("instances", spec.key) == 1)


def test_the_log_says_why_an_instance_was_started(staged):
    spec = staged.deploy()
    staged.tell("deploy", staged.spec(min_instances=2))
    assert until(lambda: staged.tell("instances", spec.key) == 2)
    texts = [text for text in staged.texts("system") if text.startswith("Starting new instance.")]
    assert [text.split()[4] for text in texts] == ["DEPLOYMENT_ROLLOUT", "MANUAL_OR_CUSTOMER_MIN_INSTANCE"]


def test_one_instance_is_enough_for_as_many_requests_as_it_takes_at_once(staged):
    spec = staged.deploy(concurrency=8, max_instances=3)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(staged.get, "/sleep?0.3") for _ in range(8)]
        assert [answer.result().status for answer in answers] == [200] * 8
    assert staged.tell("instances", spec.key) == 1


def test_after_a_crowd_all_instances_go(staged):
    spec = staged.deploy(concurrency=1, max_instances=4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: staged.get("/sleep?0.3"), range(4)))
    assert until(lambda: staged.tell("instances", spec.key) == 0)
