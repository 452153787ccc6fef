"""Startup, liveness and readiness probes, of real instances."""

import pytest

from infra.local.runtime.contract import DeployFailed, Probe
from tests.integration.infra.local.runtime.waiting import until


def health(**fields):
    return Probe("http", 8080, path="/health", **fields)


def said(staged, text):
    return [each for each in staged.texts("system") if text in each]


def test_no_request_comes_before_the_startup_probe_has_succeeded(staged):
    """It listens at once, and is well after half a second."""
    staged.deploy(env={"ILL_FOR": "0.5"}, startup_probe=health(period=0.1, failure_threshold=50))
    assert staged.get("/health").status == 200
    assert said(staged, "STARTUP HTTP probe succeeded after ")


def test_a_container_that_listens_is_asked_once_a_period(staged):
    staged.deploy(env={"ILL_FOR": "0.5"}, startup_probe=health(period=0.2, failure_threshold=50))
    assert int(staged.get("/asked").body) <= 5


def test_a_container_that_stays_ill_fails_its_startup_probe(staged):
    probe = health(period=0.05, failure_threshold=3)
    with pytest.raises(DeployFailed, match="failed the configured startup probe checks") as caught:
        staged.tell("deploy", staged.spec(env={"ILL_FOR": "60"}, startup_probe=probe))
    why = 'probe failed 3 times consecutively for container "tiny.tar-1" on port 8080 path "/health".'
    assert f"STARTUP HTTP {why} The instance was not started." in caught.value.log


def test_an_instance_that_fails_its_liveness_probe_is_replaced(staged):
    staged.deploy(liveness_probe=health(period=0.1, failure_threshold=2), min_instances=1)
    first = staged.get("/address").body
    staged.get("/ill")
    until(lambda: said(staged, "LIVENESS HTTP probe failed 2 times consecutively"))
    assert staged.get("/health").status == 200
    assert staged.get("/address").body != first
    assert not said(staged, "Container terminated on signal 9.")


def test_a_probe_that_flaps_below_its_threshold_harms_nothing(staged):
    """It is ill for shorter than three looks take, again and again."""
    probe = health(period=0.1, failure_threshold=3)
    spec = staged.deploy(liveness_probe=probe, readiness_probe=probe, min_instances=1)
    first = staged.get("/address").body
    for _ in range(4):
        staged.get("/ill?0.15")
        staged.get("/sleep?0.25")
    assert staged.get("/address").body == first
    assert staged.tell("instances", spec.key) == 1
    assert not said(staged, "probe failed")


def test_a_slow_answer_is_no_answer(staged):
    probe = Probe("http", 8080, path="/sleep?0.3", timeout=0.05, period=0.1, failure_threshold=2)
    staged.deploy(liveness_probe=probe, min_instances=1)
    assert until(lambda: said(staged, "LIVENESS HTTP probe failed 2 times consecutively"))


def test_an_instance_that_is_not_ready_gets_no_request_until_it_is_again(staged):
    readiness = health(period=0.05, failure_threshold=2)
    spec = staged.deploy(readiness_probe=readiness, max_instances=1, min_instances=1)
    first = staged.get("/address").body
    staged.get("/ill?0.6")
    until(lambda: said(staged, "READINESS HTTP probe failed 2 times consecutively"))
    assert staged.tell("instances", spec.key) == 1
    answer = staged.get("/health")  # it waits for the only instance that there may be
    assert answer.status == 200
    assert staged.get("/address").body == first


def test_while_one_instance_is_not_ready_another_one_serves(staged):
    staged.deploy(readiness_probe=health(period=0.05, failure_threshold=2), max_instances=2)
    first = staged.get("/address").body
    staged.get("/ill")
    until(lambda: said(staged, "READINESS HTTP probe failed"))
    assert staged.get("/address").body != first
