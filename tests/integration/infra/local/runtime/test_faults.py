"""Containers that do not work, and instances that stop working."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from infra.local.runtime.contract import DeployFailed, Probe
from tests.integration.infra.local.runtime.image import write_image
from tests.integration.infra.local.runtime.waiting import until

NEVER_LISTENS = (
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 "
    "environment variable within the allocated timeout. This can happen when the container port is "
    "misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this "
    "revision might contain more information."
)
QUICK = Probe("tcp", 8080, timeout=0.5, period=0.5, failure_threshold=1)


def failure(staged, **fields):
    with pytest.raises(DeployFailed) as caught:
        staged.tell("deploy", staged.spec("web", "web-2", **fields))
    return caught.value


def test_an_image_that_exits_at_once_says_so_and_shows_its_log(staged):
    error = failure(staged, env={"MODE": "exit"})
    assert error.reason == "HEALTH_CHECK_CONTAINER_ERROR"
    assert error.message == NEVER_LISTENS
    assert "cannot go on" in error.log
    assert "Container called exit(7)." in error.log


@pytest.mark.parametrize("mode", ["silent", "wrong-port", "localhost"])
def test_an_image_that_does_not_listen_on_its_port_fails_its_startup_probe(staged, mode):
    error = failure(staged, env={"MODE": mode}, startup_probe=QUICK)
    assert (error.reason, error.message) == ("HEALTH_CHECK_CONTAINER_ERROR", NEVER_LISTENS)
    assert "STARTUP TCP probe failed 1 time consecutively" in error.log


def test_an_image_that_needs_more_memory_than_its_limit_is_told_google_s_words(staged):
    error = failure(staged, env={"MODE": "hungry"}, memory=128 << 20)
    assert error.message.startswith("Memory limit of 128 MiB exceeded with ")


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


@pytest.mark.slow
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


def test_files_count_as_memory(staged):
    staged.deploy(memory=128 << 20)
    staged.get("/fill?/tmp/large,200")
    assert until(lambda: over_its_limit(staged))
    assert staged.get().status == 200


def test_what_is_written_to_shared_memory_counts_too(staged):
    staged.deploy(memory=128 << 20)
    staged.get("/fill?/dev/shm/large,200")
    assert until(lambda: over_its_limit(staged))


def over_its_limit(staged):
    return [
        text for text in staged.texts("system") if text.startswith("Memory limit of 128 MiB exceeded with ")
    ]


def test_an_instance_that_a_signal_ends_says_which(staged):
    staged.deploy()
    assert staged.get("/signal?11", method="POST").status == 503
    assert until(lambda: "Container terminated on signal 11." in staged.texts("system"))


def test_an_instance_that_crashes_again_and_again_is_started_less_and_less_often(staged):
    """The first successor comes at once, the next ones after 0.1 s, 0.2 s, 0.4 s and 0.8 s."""
    staged.deploy(env={"CRASH_AFTER": "0.2"}, min_instances=1)
    began = time.monotonic()
    until(lambda: sum(text.startswith("Starting new instance.") for text in staged.texts("system")) == 6)
    assert time.monotonic() - began > 4 * 0.2 + 0.1 + 0.2 + 0.4 + 0.8


def test_many_deploys_at_once_all_become_ready(staged):
    specs = [staged.spec(f"web{number}", f"web{number}-1") for number in range(12)]
    for each in [staged.begin("deploy", spec) for spec in specs]:
        each.result(30)
    assert len([text for text in staged.texts("system") if "probe succeeded" in text]) == 12


def test_two_deploys_of_one_revision_are_one(staged):
    spec = staged.spec(env={"START_DELAY": "0.3"})
    for each in [staged.begin("deploy", spec) for _ in range(2)]:
        each.result(10)
        assert staged.tell("instances", spec.key) == 1
    broken = staged.spec(name="web-2", env={"MODE": "exit"})
    for each in [staged.begin("deploy", broken) for _ in range(2)]:
        with pytest.raises(DeployFailed, match="PORT=8080"):
            each.result(10)


def test_a_revision_that_is_retired_while_it_starts_is_not_ready(staged):
    spec = staged.spec(env={"MODE": "silent"})
    deploying = staged.begin("deploy", spec)
    until(lambda: staged.texts("system"))
    staged.tell("retire", spec.key)
    with pytest.raises(DeployFailed, match="deleted before it became ready"):
        deploying.result(12)


def test_when_the_cloud_is_killed_no_process_of_an_instance_is_left(doomed, tmp_path):
    mark = f"killed-{time.time_ns()}"
    doomed.deploy(env={"MARK": mark, "MODE": "stubborn"}, min_instances=1)
    other = write_image(tmp_path, user="server", workdir="/home/server")
    doomed.deploy("user", "user-1", image=other, env={"MARK": mark}, min_instances=1)
    task = doomed.spec("job", "job-1", execution="job-x", env={"MARK": mark, "MODE": "silent"})
    running = doomed.begin("task", task)
    until(lambda: len(bearing(mark)) >= 3)
    doomed.process.kill()
    until(lambda: not bearing(mark))
    with pytest.raises(RuntimeError):
        running.result(10)


def bearing(mark):
    """The processes of the whole machine that have a mark in their environment."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in each.read_bytes():
                found.append(each.parent.name)
    return found
