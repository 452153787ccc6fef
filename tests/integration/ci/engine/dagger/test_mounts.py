"""What is mounted in a container, as Dagger's own tests (container_test.go, secret_test.go) have it."""

import uuid

import dagger
import pytest


@pytest.fixture
def source(dag):
    return (
        dag.directory().with_new_file("some-file", "some-content").with_new_file("some-dir/sub-file", "sub")
    )


async def test_what_a_step_changes_in_a_mount_is_there_for_the_next_and_a_new_mount_starts_over(base, source):
    first = base.with_mounted_directory("/mnt", source)
    changed = first.with_exec(["sh", "-c", "echo >>/mnt/some-file; printf more >>/mnt/some-file"])
    assert await changed.with_exec(["cat", "/mnt/some-file"]).stdout() == "some-content\nmore"
    again = changed.with_mounted_directory("/mnt", source).with_exec(["cat", "/mnt/some-file"])
    assert await again.stdout() == "some-content"
    assert await again.with_exec(["cat", "/mnt/some-file"]).stdout() == "some-content"


async def test_a_part_of_a_directory_can_be_mounted_and_taken_out_changed(base, source):
    step = base.with_mounted_directory("/m", source.directory("some-dir")).with_exec(
        ["sh", "-c", "printf +more >>/m/sub-file"]
    )
    taken = step.directory("/m")
    assert (
        await base.with_mounted_directory("/x", taken).with_exec(["cat", "/x/sub-file"]).stdout()
        == "sub+more"
    )


async def test_a_mount_within_a_mount_keeps_what_is_written_to_it(base, source):
    step = (
        base.with_mounted_directory("/d", source)
        .with_mounted_directory("/d/overlap", source)
        .with_exec(["sh", "-c", "echo hello >>/d/overlap/another; printf + >>/d/overlap/some-file"])
    )
    assert await step.directory("/d/overlap").entries() == ["another", "some-dir/", "some-file"]
    assert await step.file("/d/overlap/some-file").contents() == "some-content+"
    assert await step.without_mount("/d/overlap").directory("/d").entries() == ["some-dir/", "some-file"]


async def test_mounts_are_listed_in_order_and_removed_by_path(base, source, dag):
    container = base.with_workdir("/mnt/sub")
    container = (
        container.with_mounted_directory("dir", source)
        .with_mounted_temp("tmp")
        .with_mounted_cache("cache", dag.cache_volume(uuid.uuid4().hex))
        .with_mounted_secret("secret", dag.set_secret("listed", "x"))
    )
    assert await container.mounts() == ["/mnt/sub/dir", "/mnt/sub/tmp", "/mnt/sub/cache"]
    assert await container.without_mount("cache").mounts() == ["/mnt/sub/dir", "/mnt/sub/tmp"]
    assert (await container.with_exec(["touch", "dir/another"]).directory("dir").entries())[0] == "another"


async def test_a_directory_shows_again_when_what_was_mounted_on_it_is_gone(base, source, dag):
    container = base.with_directory("/mnt/dir", dag.directory()).with_mounted_directory("/mnt/dir", source)
    step = container.with_exec(["ls", "/mnt/dir"])
    assert await step.stdout() == "some-dir\nsome-file\n"
    assert await step.without_mount("/mnt/dir").with_exec(["ls", "/mnt/dir"]).stdout() == ""


async def test_a_mount_takes_the_place_of_those_at_and_below_its_path(base, dag):
    def holding(text: str) -> dagger.Directory:
        return dag.directory().with_new_file("f", text)

    lower = base.with_mounted_directory("/mnt/dir", holding("lower"))
    replaced = lower.with_mounted_directory("/mnt/dir", holding("upper"))
    assert await replaced.mounts() == ["/mnt/dir"]
    assert await replaced.with_exec(["cat", "/mnt/dir/f"]).stdout() == "upper"
    assert await replaced.without_mount("/mnt/dir").mounts() == []
    above = replaced.with_mounted_directory("/mnt", holding("above"))
    assert await above.mounts() == ["/mnt"]
    below = above.with_mounted_directory("/mnt/dir", holding("below"))
    assert await below.mounts() == ["/mnt", "/mnt/dir"]
    assert await below.with_exec(["cat", "/mnt/f", "/mnt/dir/f"]).stdout() == "abovebelow"


async def test_a_mounted_directory_is_written_into_by_the_containers_own_fields(base, source, dag):
    container = (
        base.with_mounted_directory("/mnt", source.directory("some-dir"))
        .with_directory("/mnt/copied", source)
        .with_new_file("/mnt/new", "n")
        .with_symlink("new", "/mnt/link")
        .without_file("/mnt/sub-file")
    )
    assert await container.directory("/mnt").glob("**/*") == [
        "copied/",
        "copied/some-dir/",
        "copied/some-dir/sub-file",
        "copied/some-file",
        "link",
        "new",
    ]
    assert await container.with_exec(["cat", "/mnt/link"]).stdout() == "n"
    assert not await container.rootfs().exists("mnt/new")


async def test_a_mounted_file_gives_way_to_what_is_put_in_its_place(base, dag):
    whole = dag.directory().with_new_file("f1", "1").with_new_file("f2", "2")
    container = base.with_mounted_directory("/mnt", whole).with_mounted_file("/mnt/f2", dag.file("f3", "3"))
    assert await container.file("/mnt/f1").contents() == "1"
    assert await container.file("/mnt/f2").contents() == "3"
    assert await container.with_file("/mnt/f2", dag.file("f4", "4")).file("/mnt/f2").contents() == "4"


async def test_a_mounted_file_is_removed_with_what_is_below_it(base, dag):
    container = base.with_file("/mnt/f", dag.file("f", "1")).with_mounted_file("/mnt/f", dag.file("f", "2"))
    assert await container.without_file("/mnt/f").directory("/mnt").entries() == []


async def test_mounted_files_can_be_several_and_none_is_left_in_the_root(base, dag):
    container = base
    for name in ("one", "two", "three"):
        container = container.with_mounted_file(f"/example/{name}", dag.file(name, name[0]))
    step = container.with_exec(["cat", "/example/one", "/example/two", "/example/three"])
    assert await step.stdout() == "ott"
    stat = step.stat("/example/one")
    assert (await stat.size(), (await stat.file_type()).value) == (1, "REGULAR")


async def test_what_is_in_memory_or_a_cache_can_be_neither_read_nor_written_from_outside(base, dag):
    container = base.with_mounted_temp("/t").with_mounted_cache("/c", dag.cache_volume(uuid.uuid4().hex))
    for path, kind in (("/t/bogus", "tmpfs"), ("/c/bogus", "cache")):
        reason = f"bogus: cannot retrieve path from {kind}"
        with pytest.raises(dagger.QueryError, match=reason):
            await container.directory(path).sync()
        with pytest.raises(dagger.QueryError, match=reason):
            await container.file(path).sync()
        with pytest.raises(dagger.QueryError, match=reason):
            await container.with_new_file(path, "").sync()


async def test_a_temporary_mount_has_a_size_only_when_one_is_given(base):
    async def options(container: dagger.Container) -> str:
        return await container.with_exec(["grep", "/mnt/tmp", "/proc/mounts"]).stdout()

    plain = await options(base.with_mounted_temp("/mnt/tmp"))
    assert "tmpfs /mnt/tmp tmpfs" in plain
    assert "size" not in plain
    assert "size=4k" in await options(base.with_mounted_temp("/mnt/tmp", size=4000))


async def test_a_secret_is_over_a_file_mounted_at_its_path_for_steps_alone(base, dag):
    container = base.with_mounted_secret("/sekret", dag.set_secret("over", "some-secret")).with_mounted_file(
        "/sekret", dag.file("f", "some-content")
    )
    step = container.with_exec(["sh", "-c", 'test "$(cat /sekret)" = some-secret'])
    assert await step.file("/sekret").contents() == "some-content"


async def test_a_secret_has_the_mode_and_the_content_it_was_given(base, dag):
    text = "".join(uuid.uuid4().hex for _ in range(10_000))
    step = base.with_mounted_secret("/s", dag.set_secret("long", text), mode=0o666, owner="root:root")
    ran = step.with_exec(["sh", "-c", "stat -c '%a %U %s' /s"])
    assert await ran.stdout() == "666 root 320000\n"
    with pytest.raises(dagger.QueryError, match="/s: no such file or directory"):
        await ran.file("/s").contents()


async def test_a_secret_can_be_a_steps_standard_input(base, dag):
    step = base.with_mounted_secret("/mnt/secret", dag.set_secret("stdin", "secret stdin")).with_exec(
        ["sh", "-c", "tr a-z A-Z"], redirect_stdin="/mnt/secret", redirect_stdout="/mnt/out"
    )
    assert await step.file("/mnt/out").contents() == "SECRET STDIN"


async def test_standard_input_and_output_can_be_in_a_mounted_directory(base, dag):
    step = base.with_mounted_directory("/mnt", dag.directory().with_new_file("in", "given")).with_exec(
        ["cat"], redirect_stdin="/mnt/in", redirect_stdout="/mnt/out"
    )
    assert await step.file("/mnt/out").contents() == "given"


async def test_a_step_that_changes_nothing_leaves_nothing_not_even_where_things_were_mounted(
    base, dag, source
):
    mounted = (
        base.with_mounted_directory("/some/where", source)
        .with_mounted_file("/other/file", dag.file("f", ""))
        .with_mounted_secret("/run/secrets/s", dag.set_secret("placed", "x"))
        .with_mounted_temp("/some/temp")
        .with_mounted_cache("/var/cache/mine", dag.cache_volume(uuid.uuid4().hex))
    )
    assert await base.rootfs().diff(base.with_exec(["true"]).rootfs()).glob("**") == []
    assert await base.rootfs().diff(mounted.with_exec(["true"]).rootfs()).glob("**") == []


async def test_a_directory_from_a_root_can_be_the_root_of_another(base, dag):
    made = base.with_exec(["sh", "-c", "mkdir /out && echo hi >/out/f"])
    assert await dag.container().with_rootfs(made.directory("/out")).rootfs().entries() == ["f"]
    kept = dag.container().with_env_variable("K", "v").with_rootfs(base.rootfs())
    assert await kept.with_exec(["/usr/bin/printenv", "K"]).stdout() == "v\n"
    assert await dag.container().rootfs().entries() == []


async def test_a_step_runs_in_a_root_that_has_nothing_but_its_program(base, dag):
    busy = base.with_exec(
        ["sh", "-c", "cp /usr/bin/true /true && mkdir /l && cp -L /lib64/ld-* /lib/*/libc.so.6 /l"]
    )
    container = dag.container().with_mounted_directory("/x", busy.directory("/l"))
    container = container.with_mounted_file("/true", busy.file("/true"))
    loader = next(name for name in await busy.directory("/l").entries() if name.startswith("ld-"))
    assert await container.with_exec([f"/x/{loader}", "--library-path", "/x", "/true"]).exit_code() == 0


async def test_a_file_or_directory_through_a_link_in_the_root_is_found(base, dag):
    linked = base.with_exec(
        ["sh", "-c", "mkdir -p /target/sub && ln -s /target/sub /link && echo hi >/link/m"]
    )
    copied = linked.with_file("/link/file", dag.file("f", "through"))
    assert await copied.file("/target/sub/file").contents() == "through"
    released = base.with_directory("/release", linked.directory("/link"))
    assert await released.with_exec(["cat", "/release/m"]).stdout() == "hi\n"


async def test_a_mounted_directory_keeps_its_own_mode_and_owner(base, dag):
    private = dag.directory().with_new_directory("p", permissions=0o700).chown("p", "7:8").directory("p")
    command = ["stat", "-c", "%a %u:%g", "/m"]
    assert await base.with_mounted_directory("/m", private).with_exec(command).stdout() == "700 7:8\n"
    assert (
        await base.with_mounted_directory("/m", private, owner="9").with_exec(command).stdout() == "700 9:9\n"
    )


async def test_a_socket_that_nobody_listens_on_is_there_all_the_same(base, dag, tmp_path):
    step = base.with_unix_socket("/s", dag.host().unix_socket(str(tmp_path / "nobody")))
    script = "import socket; print(socket.socket(socket.AF_UNIX).connect_ex('/s'))"
    assert await step.with_exec(["python3", "-c", script]).stdout() == "111\n"
