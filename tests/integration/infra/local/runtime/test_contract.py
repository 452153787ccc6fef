"""What a container finds, by Cloud Run's runtime contract."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path

from infra.local.runtime.contract import RevisionSpec
from tests.integration.infra.local.runtime.image import write_image


def test_a_container_knows_its_port_service_and_revision(staged):
    staged.deploy(port=9090, env={"MINE": "1"})
    env = staged.json("/env")
    names = {"PORT": "9090", "K_SERVICE": "web", "K_REVISION": "web-1", "K_CONFIGURATION": "web"}
    assert {name: env[name] for name in names} == names
    assert (env["MINE"], env["FROM_IMAGE"]) == ("1", "yes")


def test_secrets_are_there_as_variables_and_as_files_and_not_in_the_log(staged):
    staged.deploy(secret_env={"TOKEN": b"hush-1"}, files={"/secrets/key": b"hush-2"})
    assert staged.json("/env")["TOKEN"] == "hush-1"
    assert staged.get("/file?/secrets/key").body == b"hush-2"
    assert "hush" not in repr(staged.tell("entries"))
    assert "hush" not in repr(RevisionSpec("p", "l", "s", "r", "i", secret_env={"A": b"hush"}))


def test_a_container_runs_as_its_image_says(staged, tmp_path):
    staged.deploy(image=write_image(tmp_path, user="server", workdir="/home/server"))
    who = staged.json("/who")
    assert (who["uid"], who["gid"], who["cwd"]) == (1234, 1235, "/home/server")


def test_a_container_s_own_working_directory_comes_before_the_image_s(staged):
    staged.deploy(working_dir="/tmp/elsewhere")
    assert staged.json("/who")["cwd"] == "/tmp/elsewhere"


def test_secrets_are_in_no_process_s_arguments_and_on_no_disk(staged, state):
    staged.deploy(secret_env={"TOKEN": b"hush-arguments"}, files={"/secrets/key": b"hush-file"})
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            assert b"hush-" not in each.read_bytes()
    assert (
        subprocess.run(["grep", "-r", "-l", "hush-", state], capture_output=True, check=False).stdout == b""
    )


def test_what_an_instance_writes_is_in_memory_and_ends_with_it(staged, state):
    spec = staged.deploy()
    assert [staged.get("/write").body for _ in range(2)] == [b"1", b"2"]
    assert not list((state / "instances").glob("*/upper/left-behind"))
    staged.tell("retire", spec.key)
    assert not list((state / "instances").iterdir())
    staged.deploy(name="web-2")
    assert staged.get("/write").body == b"1"


def test_an_empty_directory_is_the_instance_s_own_and_of_its_size(staged):
    staged.deploy(empty_dirs={"/scratch": 2 << 20})
    assert staged.get("/fill?/scratch/a,1").status == 200
    assert staged.get("/fill?/scratch/b,2").status == 507


def test_lines_that_a_container_prints_are_log_entries_and_json_is_taken_apart(staged):
    staged.deploy()
    staged.get("/print", method="POST", body=b'{"severity": "ERROR", "message": "no luck", "code": 7}')
    found = [entry for entry in staged.tell("entries") if entry[2] == "no luck"]
    assert [(stream, severity, payload["code"]) for _, stream, _, severity, payload, _ in found] == [
        ("stdout", "ERROR", 7)
    ]


TASK = {
    "CLOUD_RUN_JOB": "train",
    "CLOUD_RUN_EXECUTION": "train-abcde",
    "CLOUD_RUN_TASK_INDEX": "3",
    "CLOUD_RUN_TASK_COUNT": "5",
    "CLOUD_RUN_TASK_ATTEMPT": "1",
}


def test_a_task_runs_to_its_exit_code_and_its_output_is_told(staged):
    spec = staged.spec(
        "train", "train-abcde-task3", execution="train-abcde", env={"MODE": "task", "CODE": "5", **TASK}
    )
    code, said = staged.tell("task", spec)
    assert code == 5
    assert ("stdout", "task 3") in said
    assert ("system", "Container called exit(5).") in said
    assert spec.key.endswith("/jobs/train/executions/train-abcde/tasks/train-abcde-task3")


def test_a_task_knows_its_job_and_has_no_port(staged):
    env = {"MODE": "tell-environment", **TASK}
    _, said = staged.tell("task", staged.spec("train", "train-abcde-task3", execution="train-abcde", env=env))
    text = next(text for stream, text in said if stream == "stdout")
    told = json.loads(text.removeprefix("environment "))
    assert {name: told[name] for name in TASK} == TASK
    assert not {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"} & set(told)


def test_a_task_that_needs_more_memory_than_its_limit_is_killed(staged):
    code, said = staged.tell("task", staged.spec("job", "job-x", env={"MODE": "hungry"}, memory=128 << 20))
    assert code == 137
    assert said[-1][1].startswith("Memory limit of 128 MiB exceeded with ")


def test_a_request_that_takes_longer_than_the_revision_s_timeout_gets_504(staged):
    staged.deploy(timeout=0.3)
    assert staged.get("/sleep?5").status == 504
    assert staged.get().status == 200
