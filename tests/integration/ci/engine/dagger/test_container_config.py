"""``Container``: how it is run, as Dagger's own tests (container_test.go) have it."""

import uuid

import dagger
import pytest

NOW = ["sh", "-c", "cat /proc/sys/kernel/random/uuid"]


async def pairs(listed) -> dict[str, str]:
    return {await each.name(): await each.value() for each in await listed}


async def test_variables_keep_their_place_when_they_are_replaced(dag):
    container = dag.container().with_env_variable("A", "1").with_env_variable("B", "2")
    assert list((await pairs(container.with_env_variable("A", "3").env_variables())).items()) == [
        ("A", "3"),
        ("B", "2"),
    ]
    assert await container.without_env_variable("A").env_variable("A") is None
    assert await container.with_env_variable("E", "").env_variable("E") == ""


async def test_a_variable_may_be_made_of_others(base):
    container = base.with_env_variable("USER_PATH", "/opt").with_env_variable(
        "PATH", "${USER_PATH}/bin:$PATH", expand=True
    )
    assert (await container.with_exec(["/usr/bin/printenv", "PATH"]).stdout()).startswith(
        "/opt/bin:/usr/local"
    )
    plain = base.with_env_variable("FOO", "foo:$PATH")
    assert await plain.with_exec(["printenv", "FOO"]).stdout() == "foo:$PATH\n"


async def test_the_variables_of_an_env_file_are_set(base, dag):
    source = dag.directory().with_new_file(".env", "ONE=1\nTWO=${ONE}+1\n").file(".env").as_env_file()
    container = base.with_env_file_variables(source)
    assert await container.env_variable("ONE") == "1"
    assert await container.with_exec(["printenv", "TWO"]).stdout() == "1+1\n"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("a=b=c", "a=b=c"),
        ("zwölf €", "zwölf €"),
        ("line\nline", "line\nline"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
async def test_a_variable_holds_any_text(base, value, seen):
    container = base.with_env_variable("V", value)
    assert await container.env_variable("V") == seen
    assert await container.with_exec(["printenv", "V"]).stdout() == f"{seen}\n"


async def test_arguments_may_be_many_and_long(base):
    arguments = ["x" * 1000] * 1500
    assert await base.with_exec(["sh", "-c", "echo $#", "_", *arguments]).stdout() == "1500\n"


async def test_a_volatile_variable_is_seen_by_steps_and_counts_for_nothing(base):
    async def run(value: str) -> str:
        return await base.with_volatile_variable("RUN_ID", value).with_exec(NOW).stdout()

    assert await run("one") == await run("two")
    container = base.with_env_variable("FOO", "lasting").with_volatile_variable("FOO", "passing")
    assert await container.env_variable("FOO") == "lasting"
    assert await container.with_exec(["printenv", "FOO"]).stdout() == "passing\n"
    assert (
        await container.without_volatile_variable("FOO").with_exec(["printenv", "FOO"]).stdout()
        == "lasting\n"
    )
    assert "FOO" not in await pairs(base.with_volatile_variable("FOO", "passing").env_variables())


async def test_a_volatile_variable_survives_from(dag):
    container = dag.container().with_volatile_variable("RUN_ID", "123").from_("python:3.11-slim")
    step = container.with_exec(["sh", "-c", f"echo $RUN_ID {uuid.uuid4()}"])
    assert (await step.stdout()).startswith("123 ")


async def test_a_volatile_variable_cannot_be_expanded(base):
    container = base.with_volatile_variable("RUN_ID", "123")
    reason = 'expand cannot be used with volatile env variable "RUN_ID"'
    with pytest.raises(dagger.QueryError, match=reason):
        await container.with_exec(["echo", "$RUN_ID"], expand=True).sync()
    with pytest.raises(dagger.QueryError, match=reason):
        await container.with_env_variable("COPY", "$RUN_ID", expand=True).sync()


async def test_the_secret_set_last_is_the_variables_value(base, dag):
    container = base.with_secret_variable("T", dag.set_secret("short", "AA")).with_secret_variable(
        "T", dag.set_secret("long", "BBBBBBBBB")
    )
    assert await container.with_exec(["sh", "-c", 'printf %d "${#T}"']).stdout() == "9"
    gone = container.without_secret_variable("T").with_exec(["sh", "-c", "echo ${T-unset}"])
    assert await gone.stdout() == "unset\n"


async def test_labels_are_set_replaced_listed_and_removed(dag):
    container = dag.container().with_label("b", "1").with_label("a", "x").with_label("b", "2")
    assert await pairs(container.labels()) == {"a": "x", "b": "2"}
    assert await container.without_label("a").label("a") is None
    assert await dag.container().without_label("none").labels() == []


async def test_a_working_directory_is_relative_to_the_one_before(base):
    container = base.with_workdir("/mnt").with_workdir("sub")
    assert await container.workdir() == "/mnt/sub"
    assert await container.without_workdir().with_exec(["pwd"]).stdout() == "/\n"
    expanded = base.with_env_variable("foo", "bar").with_workdir("/x/$foo", expand=True)
    assert await expanded.workdir() == "/x/bar"


@pytest.mark.parametrize(
    ("user", "seen"),
    [
        ("daemon", "daemon:daemon"),
        ("daemon:floppy", "daemon:floppy"),
        ("1", "daemon:daemon"),
        ("1:25", "daemon:floppy"),
        ("0", "root:root"),
    ],
)
async def test_a_user_is_kept_as_it_was_named(base, user, seen):
    container = base.with_user(user)
    assert await container.user() == user
    assert await container.with_exec(["sh", "-c", "echo $(id -un):$(groups)"]).stdout() == f"{seen}\n"
    assert await container.with_exec(["sh"], stdin="id -un").stdout() == seen.split(":")[0] + "\n"
    assert await container.without_user().with_exec(["id", "-un"]).stdout() == "root\n"


async def test_entrypoint_and_default_arguments_are_as_they_were_set(base):
    container = base.with_entrypoint(["sh", "-c"])
    assert (await container.entrypoint(), await container.default_args()) == (["sh", "-c"], [])
    assert await container.with_exec(["echo $HOME"], use_entrypoint=True).stdout() == "/root\n"
    assert (
        await container.with_default_args(["echo hi"]).with_exec([], use_entrypoint=True).stdout() == "hi\n"
    )
    assert await base.with_default_args([]).default_args() == []
    bare = container.with_default_args(["x"]).without_entrypoint()
    with pytest.raises(dagger.QueryError, match="no command has been set"):
        await bare.with_exec([]).stdout()
    kept = base.with_entrypoint(["foo"]).with_default_args(["echo", "kept"])
    assert await kept.without_entrypoint(keep_default_args=True).with_exec([]).stdout() == "kept\n"
    echo = base.with_entrypoint(["echo", "-n"]).with_default_args(["foo"]).without_default_args()
    assert await echo.with_exec([], use_entrypoint=True).stdout() == ""


async def test_a_port_is_one_of_its_number_and_protocol(dag):
    udp = dagger.NetworkProtocol.UDP
    container = (
        dag.container()
        .with_exposed_port(8000, description="eight thousand tcp")
        .with_exposed_port(8000, protocol=udp, description="eight thousand udp")
        .with_exposed_port(5432)
        .with_exposed_port(8000, description="again")
    )

    async def listed(one: dagger.Container) -> list[tuple]:
        return [
            (await each.port(), (await each.protocol()).value, await each.description())
            for each in await one.exposed_ports()
        ]

    assert await listed(container) == [
        (8000, "TCP", "again"),
        (8000, "UDP", "eight thousand udp"),
        (5432, "TCP", None),
    ]
    assert [row[:2] for row in await listed(container.without_exposed_port(8000))] == [
        (8000, "UDP"),
        (5432, "TCP"),
    ]
    assert [row[:2] for row in await listed(container.without_exposed_port(8000, protocol=udp))] == [
        (8000, "TCP"),
        (5432, "TCP"),
    ]


async def test_an_image_is_merged_into_what_the_container_was(dag):
    container = (
        dag.container()
        .with_env_variable("FOO", "BAR")
        .with_env_variable("PATH", "/replace/me")
        .with_label("com.example.kept", "yes")
        .with_exposed_port(5000)
        .from_("python:3.11-slim")
    )
    assert await container.env_variable("FOO") == "BAR"
    assert "/usr/local/bin" in (await container.env_variable("PATH") or "")
    assert await container.label("com.example.kept") == "yes"
    assert [await port.port() for port in await container.exposed_ports()] == [5000]


async def test_a_health_check_is_kept_as_docker_has_it(base):
    container = base.with_docker_healthcheck(
        ["sh", "-c", "true"],
        interval="25s",
        timeout="31s",
        start_period="1m",
        start_interval="400ms",
        retries=8,
    )
    check = container.docker_healthcheck()
    assert await check.args() == ["sh", "-c", "true"]
    assert await check.shell() is False
    durations = (
        await check.interval(),
        await check.timeout(),
        await check.start_period(),
        await check.start_interval(),
    )
    assert durations == ("25s", "31s", "1m0s", "400ms")
    assert await check.retries() == 8
    plain = base.with_docker_healthcheck(["/bin/false"]).docker_healthcheck()
    assert (await plain.interval(), await plain.timeout(), await plain.retries()) == ("0s", "0s", 0)


async def test_a_health_check_that_makes_no_sense_is_refused(base):
    with pytest.raises(
        dagger.QueryError, match="WithHealthcheck args must be a single element when shell mode"
    ):
        await base.with_docker_healthcheck(["a", "b"], shell=True).id()  # noqa: S604
    with pytest.raises(dagger.QueryError, match="WithHealthcheck args is missing"):
        await base.with_docker_healthcheck([]).id()
    with pytest.raises(dagger.QueryError, match='time: invalid duration "soon"'):
        await base.with_docker_healthcheck(["true"], interval="soon").id()


async def test_an_error_is_raised_where_it_is_put_and_an_empty_one_is_none(base):
    with pytest.raises(dagger.QueryError, match="error raised"):
        await base.with_error("error raised").sync()
    assert await base.with_error("").with_exec(["echo", "on"]).stdout() == "on\n"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda c: c.experimental_with_gpu(["0"]).id(), r"experimentalWithGPU is not served .*GPUs"),
        (lambda c: c.experimental_with_all_gp_us().id(), r"experimentalWithAllGPUs is not served .*GPUs"),
    ],
)
async def test_what_cannot_be_had_is_refused_by_name_and_reason(base, call, told):
    with pytest.raises(dagger.QueryError, match=told):
        await call(base)


async def test_paths_are_expanded_only_when_asked(base, dag, tmp_path):
    file = dag.directory().with_new_file("f", "data").file("f")
    whole = dag.directory().with_new_file("f", "data")
    c = base.with_env_variable("foo", "bar")
    made = (
        c.with_new_file("/new/${foo}", "data", expand=True)
        .with_file("/file/$foo", file, expand=True)
        .with_directory("/dir/$foo", whole, expand=True)
        .with_mounted_directory("/mdir/$foo", whole, expand=True)
        .with_mounted_file("/mfile/$foo", file, expand=True)
        .with_symlink("/new/$foo", "/link/$foo", expand=True)
    )
    for path in ("/new/bar", "/file/bar", "/dir/bar/f", "/mdir/bar/f", "/mfile/bar", "/link/bar"):
        assert await made.file(path).contents() == "data", path
        assert await made.file(path.replace("bar", "$foo"), expand=True).contents() == "data", path
    assert await made.directory("/dir/$foo", expand=True).entries() == ["f"]
    assert await made.exists("/new/$foo", expand=True)
    assert not await made.exists("/new/$foo")
    gone = (
        made.without_file("/new/$foo", expand=True)
        .without_files(["/file/$foo"], expand=True)
        .without_directory("/dir/$foo", expand=True)
        .without_mount("/mdir/$foo", expand=True)
    )
    listing = await gone.with_exec(
        ["sh", "-c", "ls -d /new/* /file/* /dir/* /mdir/* 2>/dev/null || true"]
    ).stdout()
    assert listing == ""


async def test_where_streams_are_redirected_is_expanded_when_asked(base):
    c = base.with_env_variable("D", "/tmp").with_new_file("/tmp/in", "given")
    ran = c.with_exec(
        ["sh", "-c", "cat; echo err >&2"],
        redirect_stdin="$D/in",
        redirect_stdout="${D}/out",
        redirect_stderr="$D/err",
        expand=True,
    )
    assert await ran.file("/tmp/out").contents() == "given"
    assert await ran.file("/tmp/err").contents() == "err\n"
