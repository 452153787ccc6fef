"""Images that do not work, and instances that stop working."""

import time

import pytest

from infra.local.runtime.contract import DeployFailed, Probe

QUICK = Probe("tcp", 8080, timeout=0.5, period=0.5, failure_threshold=1)


def failure(staged, **fields):
    with pytest.raises(DeployFailed) as caught:
        staged.tell("deploy", staged.spec("web", "web-2", **fields))
    return caught.value


def test_an_image_that_exits_at_once_says_so_and_shows_its_log(staged):
    error = failure(staged, env={"MODE": "exit"})
    assert error.reason == "HEALTH_CHECK_CONTAINER_ERROR"
    assert "failed to start and listen on the port defined provided by the PORT=8080" in error.message
    assert "cannot go on" in error.log
    assert "Container called exit(7)." in error.log


@pytest.mark.parametrize("mode", ["silent", "wrong-port"])
def test_an_image_that_does_not_listen_on_its_port_fails_its_startup_probe(staged, mode):
    error = failure(staged, env={"MODE": mode}, startup_probe=QUICK)
    assert error.reason == "HEALTH_CHECK_CONTAINER_ERROR"
    assert "failed the configured startup probe checks" in error.message


def test_an_image_that_needs_more_memory_than_its_limit_is_told_google_s_words(staged):
    error = failure(staged, env={"MODE": "hungry"}, memory=128 << 20)
    assert error.message.startswith("Memory limit of 128 MiB exceeded with ")


def test_an_image_that_is_not_there_is_missing(staged):
    error = failure(staged, image="oci-archive:/nowhere.tar")
    assert (error.reason, error.message) == (
        "CONTAINER_MISSING",
        "Image 'oci-archive:/nowhere.tar' not found.",
    )


def test_an_archive_that_is_damaged_is_refused(staged, tmp_path):
    (tmp_path / "bad.tar").write_bytes(b"no archive")
    assert failure(staged, image=f"oci-archive:{tmp_path / 'bad.tar'}").reason == "CONTAINER_MISSING"


def test_a_command_that_is_not_in_the_image_is_named(staged):
    assert "/no/such" in failure(staged, command=("/no/such",)).message


def test_the_old_revision_serves_on_when_the_new_one_fails(staged):
    staged.deploy()
    failure(staged, env={"MODE": "exit"})
    assert staged.get().status == 200


def test_sigterm_comes_first(staged):
    spec = staged.deploy(env={"MODE": "polite"})
    staged.tell("retire", spec.key)
    assert "leaving" in staged.texts("stdout")


def test_an_instance_that_ignores_sigterm_is_killed_after_ten_seconds(staged):
    spec = staged.deploy(env={"MODE": "stubborn"})
    began = time.monotonic()
    staged.tell("retire", spec.key)
    assert 10 <= time.monotonic() - began < 12


def test_a_request_that_crashes_its_instance_gets_503_and_the_next_one_a_new_instance(staged):
    staged.deploy()
    assert staged.get("/exit?3", method="POST").status == 503
    assert staged.get().status == 200
    assert "Container called exit(3)." in staged.texts("system")


def test_an_instance_that_grows_over_its_limit_is_killed(staged):
    staged.deploy(memory=128 << 20)
    staged.get("/eat?300", method="POST")
    assert staged.get().status == 200
    assert any(text.startswith("Memory limit of 128 MiB exceeded") for text in staged.texts("system"))


def test_an_instance_that_fails_its_liveness_probe_is_replaced(staged):
    probe = Probe("http", 8080, path="/health", period=0.1, failure_threshold=2)
    staged.deploy(liveness_probe=probe, min_instances=1)
    before = staged.json("/env")
    staged.get("/ill")
    deadline = time.monotonic() + 10
    while not staged.texts("system") and time.monotonic() < deadline:
        staged.get("/health")
    assert any("LIVENESS HTTP probe failed 2 times" in text for text in staged.texts("system"))
    assert staged.get("/health").status == 200
    assert before["K_REVISION"] == "web-1"


def test_a_probe_that_flaps_below_its_threshold_harms_nothing(staged):
    probe = Probe("http", 8080, path="/sleep?0.02", timeout=0.001, period=0.05, failure_threshold=1000)
    spec = staged.deploy(liveness_probe=probe)
    assert staged.get("/sleep?0.3").status == 200
    assert staged.tell("instances", spec.key) == 1
