"""What is run again and what is not: steps are known by what goes into them, and by nothing else."""

import uuid

import anyio
import dagger
import pytest

NOW = ["sh", "-c", "cat /proc/sys/kernel/random/uuid"]


async def test_a_step_is_run_once_and_then_known(base):
    assert await base.with_exec(NOW).stdout() == await base.with_exec(NOW).stdout()


async def test_the_same_bytes_by_another_way_are_the_same_input(base, dag):
    one = base.with_new_file("/a", "1").with_new_file("/b", "2")
    other = base.with_directory("/", dag.directory().with_new_file("b", "2").with_new_file("a", "1"))
    assert await one.with_exec(NOW).stdout() == await other.with_exec(NOW).stdout()


@pytest.mark.parametrize("change", ["file", "mode", "environment", "workdir", "user", "arguments", "mount"])
async def test_whatever_a_step_can_see_makes_another_step(base, dag, change):
    first = base.with_new_file("/a", "1").with_mounted_directory("/m", dag.directory())
    second = {
        "file": lambda: first.with_new_file("/a", "2"),
        "mode": lambda: first.with_file("/a", dag.file("a", "1", permissions=0o600), permissions=0o600),
        "environment": lambda: first.with_env_variable("X", "1"),
        "workdir": lambda: first.with_workdir("/tmp"),
        "user": lambda: first.with_user("nobody"),
        "arguments": lambda: first,
        "mount": lambda: first.with_mounted_directory("/m", dag.directory().with_new_file("x", "")),
    }[change]()
    command = [*NOW, "another"] if change == "arguments" else NOW
    assert await first.with_exec(NOW).stdout() != await second.with_exec(command).stdout()


async def test_a_secret_counts_by_its_name_not_by_its_value(base, dag):
    async def run(name: str, value: str) -> str:
        return await base.with_secret_variable("S", dag.set_secret(name, value)).with_exec(NOW).stdout()

    name = uuid.uuid4().hex
    assert await run(name, "one") == await run(name, "two")
    assert await run(name, "one") != await run(f"{name}-other", "one")


async def test_a_failed_step_is_not_remembered(base, dag):
    volume = dag.cache_volume(uuid.uuid4().hex)
    step = base.with_mounted_cache("/c", volume).with_exec(
        ["sh", "-c", "test -e /c/second || { touch /c/second; exit 1; }"]
    )
    with pytest.raises(dagger.ExecError):
        await step.sync()
    assert await step.exit_code() == 0


async def test_two_of_the_same_step_at_once_run_one(base, dag):
    volume = dag.cache_volume(uuid.uuid4().hex)
    step = base.with_mounted_cache("/c", volume).with_exec(
        ["sh", "-c", "echo ran >>/c/runs; sleep 0.3; cat /c/runs"]
    )
    outputs = []

    async def run(container: dagger.Container) -> None:
        outputs.append(await container.stdout())

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(run, step)
        group.start_soon(run, step.with_env_variable("LATER", "1"))
    assert outputs == ["ran\n"] * 5
