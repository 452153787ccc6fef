"""CacheVolume, as Dagger's own integration tests (core/integration/cache_test.go) have it."""

import uuid

import anyio
import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]


@pytest.fixture
def key() -> str:
    """A key that no run has used."""
    return uuid.uuid4().hex


async def test_a_volume_is_the_one_of_its_key(dag):
    ids = [await dag.cache_volume(key).id() for key in ("ab", "ab", "ac")]
    assert ids[0] == ids[1] != ids[2]


async def test_a_volume_keeps_what_steps_write_and_counts_for_no_cache_key(dag, base, key):
    mounted = base.with_mounted_cache("/c", dag.cache_volume(key))
    await mounted.with_exec(["sh", "-c", "echo one > /c/f"]).sync()
    assert await mounted.with_exec(["cat", "/c/f"]).stdout() == "one\n"
    await mounted.with_exec(["sh", "-c", "echo two > /c/f"]).sync()
    assert await mounted.with_exec(["cat", "/c/f"]).stdout() == "one\n"  # the same step, and so its result
    assert await mounted.with_exec(["sh", "-c", "cat /c/f"]).stdout() == "two\n"


async def test_a_volume_starts_as_its_source_and_belongs_to_its_owner(dag, base, key):
    source = dag.directory().with_new_file("d/seed", "s", permissions=0o640)
    owned = base.with_mounted_cache("/c", dag.cache_volume(key, source=source, owner="1000:1001"))
    shown = await owned.with_exec(["stat", "-c", "%n %u:%g %a", "/c", "/c/d/seed"]).stdout()
    assert shown == "/c 1000:1001 755\n/c/d/seed 1000:1001 640\n"
    await owned.with_exec(["rm", "-r", "/c/d"]).sync()
    assert await owned.with_exec(["ls", "/c"]).stdout() == ""


async def test_what_a_volume_starts_as_makes_it_another_volume(dag, base, key):
    plain = base.with_mounted_cache("/c", dag.cache_volume(key))
    await plain.with_exec(["touch", "/c/plain"]).sync()
    source = dag.directory().with_new_file("seed", "")
    for volume in (dag.cache_volume(key, source=source), dag.cache_volume(key, owner="1000")):
        listed = await base.with_mounted_cache("/c", volume).with_exec(["ls", "/c"]).stdout()
        assert "plain" not in listed
    assert await plain.with_exec(["ls", "/c"]).stdout() == "plain\n"


async def test_an_owner_by_name_is_one_of_the_container(dag, base, key):
    named = base.with_mounted_cache("/c", dag.cache_volume(key), owner="nobody")
    assert await named.with_exec(["stat", "-c", "%U", "/c"]).stdout() == "nobody\n"


async def test_files_are_mounted_into_a_volume(dag, base, key):
    file = dag.directory().with_new_file("foo", "bar").file("foo")
    mounted = base.with_mounted_cache("/c", dag.cache_volume(key)).with_mounted_file("/c/sub", file)
    assert await mounted.with_exec(["cat", "/c/sub"]).stdout() == "bar"
    assert await mounted.file("/c/sub").contents() == "bar"


async def _at_once(make, count: int) -> list[str]:
    """What steps print that run side by side."""
    printed: list[str] = []

    async def run(number: int) -> None:
        printed.append(await make(number).stdout())

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(run, number)
    return printed


async def test_a_locked_volume_is_used_in_turn(dag, base, key):
    volume = dag.cache_volume(key, sharing=dagger.CacheSharingMode.LOCKED)
    use = "mkdir /c/in-use && sleep 0.05 && rmdir /c/in-use && echo done"

    def step(number: int):
        mounted = base.with_mounted_cache("/c", volume).with_env_variable("NUMBER", str(number))
        return mounted.with_exec(["sh", "-c", use])

    assert await _at_once(step, 4) == ["done\n"] * 4


async def test_a_private_volume_is_its_users_own_while_it_is_used(dag, base, key):
    volume = dag.cache_volume(key, sharing=dagger.CacheSharingMode.PRIVATE)
    use = "ls /c; touch /c/$NUMBER; sleep 0.3; ls /c | wc -l"

    def step(number: int):
        mounted = base.with_mounted_cache("/c", volume).with_env_variable("NUMBER", str(number))
        return mounted.with_exec(["sh", "-c", use])

    assert await _at_once(step, 2) == ["1\n"] * 2
    assert (await step(2).stdout()).endswith("\n2\n")  # one of theirs, now that it is free
