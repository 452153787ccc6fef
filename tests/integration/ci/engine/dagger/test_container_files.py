"""``Container``: files and directories in and out, and what is mounted."""

import uuid

import dagger
import pytest


async def test_files_are_written_seen_from_the_working_directory(base):
    container = base.with_workdir("/w").with_new_file("a/b.txt", "hey", permissions=0o600)
    assert (
        await container.with_exec(["sh", "-c", "cat a/b.txt; stat -c %a /w/a/b.txt"]).stdout() == "hey600\n"
    )
    assert await container.file("a/b.txt").contents() == "hey"


async def test_a_file_through_a_symlinked_directory_lands_where_it_leads(base):
    container = base.with_new_file("/bin/mine", "#!/bin/sh\necho mine\n", permissions=0o755)
    assert await container.with_exec(["/usr/bin/mine"]).stdout() == "mine\n"


async def test_owners_are_found_by_name_and_by_number(base, dag):
    source = dag.directory().with_new_file("f", "x")
    container = base.with_directory("/d", source, owner="nobody:nogroup").with_new_file(
        "/n", "", owner="12:34"
    )
    listed = await container.with_exec(["stat", "-c", "%u:%g", "/d", "/d/f", "/n"]).stdout()
    assert listed.split() == ["65534:65534", "65534:65534", "12:34"]


async def test_a_directory_is_merged_into_what_is_there_and_filtered(base, dag):
    source = dag.directory().with_new_file("keep.py", "").with_new_file("drop.txt", "")
    container = base.with_new_file("/d/old", "").with_directory("/d", source, include=["*.py"])
    assert await container.directory("/d").entries() == ["keep.py", "old"]


async def test_what_is_removed_is_gone_for_steps_too(base):
    container = base.with_new_file("/d/a", "").with_new_file("/d/b", "").without_file("/d/a")
    assert await container.with_exec(["ls", "/d"]).stdout() == "b\n"
    assert not await container.without_directory("/d").exists("/d")


async def test_a_step_can_replace_a_directory_by_a_file_and_back(base):
    first = base.with_new_file("/d/old", "").with_exec(["sh", "-c", "rm -r /d && echo file >/d"])
    assert await first.file("/d").contents() == "file\n"
    again = first.with_exec(["sh", "-c", "rm /d && mkdir /d && touch /d/new"])
    assert await again.directory("/d").entries() == ["new"]
    assert await again.with_exec(["ls", "/d"]).stdout() == "new\n"


async def test_missing_paths_are_named(base):
    with pytest.raises(dagger.QueryError, match="bogus: no such file or directory"):
        await base.file("bogus").contents()
    with pytest.raises(dagger.QueryError, match="path /etc is a directory, not a file"):
        await base.file("/etc").contents()
    with pytest.raises(dagger.QueryError, match="path /etc/passwd is a file, not a directory"):
        await base.directory("/etc/passwd").entries()


async def test_a_mounted_directory_can_be_changed_and_is_no_part_of_the_root(base, dag):
    source = dag.directory().with_new_file("a", "1").with_new_file("b", "2")
    step = base.with_mounted_directory("/m", source).with_exec(["sh", "-c", "rm /m/a; echo 3 >/m/c"])
    assert await step.directory("/m").entries() == ["b", "c"]
    assert await step.with_exec(["cat", "/m/c"]).stdout() == "3\n"
    assert await source.entries() == ["a", "b"]
    assert not await step.without_mount("/m").exists("/m/c")
    assert not await step.rootfs().exists("m")


async def test_a_read_only_mount_refuses_to_be_written(base, dag):
    step = base.with_mounted_directory("/m", dag.directory().with_new_file("a", "1"), read_only=True)
    with pytest.raises(dagger.ExecError) as caught:
        await step.with_exec(["touch", "/m/b"]).sync()
    assert "Read-only file system" in caught.value.stderr


async def test_a_mounted_file_can_be_written(base, dag):
    file = dag.directory().with_new_file("f", "before").file("f")
    step = base.with_mounted_file("/deep/f", file).with_exec(["sh", "-c", "cat /deep/f; echo after >/deep/f"])
    assert await step.stdout() == "before"
    assert await step.file("/deep/f").contents() == "after\n"
    assert not await step.without_mount("/deep/f").exists("/deep/f")


async def test_a_cache_volume_outlives_steps_and_cannot_be_looked_into(base, dag):
    volume = dag.cache_volume(uuid.uuid4().hex)
    await base.with_mounted_cache("/c", volume).with_exec(["sh", "-c", "echo kept >/c/v"]).sync()
    later = base.with_env_variable("LATER", "1").with_mounted_cache("/other", volume)
    assert await later.with_exec(["cat", "/other/v"]).stdout() == "kept\n"
    with pytest.raises(dagger.QueryError, match="v: cannot retrieve path from cache"):
        await later.file("/other/v").contents()


async def test_a_locked_cache_volume_is_used_by_one_step_at_a_time(base, dag):
    import anyio

    volume = dag.cache_volume(uuid.uuid4().hex)
    held = base.with_mounted_cache("/c", volume, sharing=dagger.CacheSharingMode.LOCKED)
    script = "mkdir /c/in-use && sleep 0.2 && rmdir /c/in-use"
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(held.with_exec(["sh", "-c", f"{script} # {number}"]).exit_code)


async def test_a_cache_volume_starts_with_its_source(base, dag):
    source = dag.directory().with_new_file("seed", "s")
    step = base.with_mounted_cache("/c", dag.cache_volume(uuid.uuid4().hex), source=source)
    assert await step.with_exec(["cat", "/c/seed"]).stdout() == "s"


async def test_temporary_mounts_are_in_memory_and_sized(base):
    step = base.with_mounted_temp("/t", size=1 << 20).with_exec(["df", "--output=fstype,size", "/t"])
    assert (await step.stdout()).split()[-2:] == ["tmpfs", "1024"]
    with pytest.raises(dagger.QueryError, match="cannot retrieve path from tmpfs"):
        await step.file("/t/x").contents()


async def test_secrets_are_there_for_steps_alone_and_masked_in_what_they_print(base, dag):
    secret = dag.set_secret("shown", "very-secret-value")
    step = base.with_mounted_secret("/run/s/token", secret, mode=0o444).with_secret_variable("TOKEN", secret)
    ran = step.with_exec(["sh", "-c", 'cat /run/s/token; echo " $TOKEN"; printf %s "$TOKEN" | wc -c >/size'])
    assert await ran.stdout() == "*** ***\n"
    assert await ran.file("/size").contents() == "17\n"
    assert not await ran.without_mount("/run/s/token").exists("/run/s")
    assert await ran.env_variable("TOKEN") is None
    with pytest.raises(dagger.ExecError) as caught:
        await step.with_exec(["sh", "-c", "printf very-secret; sleep 0.05; echo -value; exit 1"]).sync()
    assert caught.value.stdout == "***"


async def test_a_secret_is_in_no_layer(base, dag, tmp_path):
    secret = dag.set_secret("layered", "needle-in-a-haystack")
    step = base.with_mounted_secret("/s", secret).with_secret_variable("S", secret)
    await step.with_exec(["sh", "-c", "cat /s; touch /made"]).export(str(tmp_path / "image.tar"))
    import gzip
    import tarfile

    with tarfile.open(tmp_path / "image.tar") as archive:
        for member in archive:
            data = archive.extractfile(member).read() if member.isfile() else b""
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            assert b"needle-in-a-haystack" not in data
