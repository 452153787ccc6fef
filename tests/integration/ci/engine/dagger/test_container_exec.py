"""``Container.withExec``: what a step sees, gives, and how it fails."""

import dagger
import pytest


async def test_a_step_gives_what_it_prints_on_each_stream_and_on_both(base):
    step = base.with_exec(["sh", "-c", "echo out; echo err >&2"])
    assert await step.stdout() == "out\n"
    assert await step.stderr() == "err\n"
    assert sorted((await step.combined_output()).splitlines()) == ["err", "out"]
    assert await step.exit_code() == 0


async def test_without_a_command_there_is_no_output(base):
    with pytest.raises(dagger.QueryError, match="no command has been set"):
        await base.stdout()


async def test_a_failed_step_raises_an_exec_error_with_all_that_is_known(base):
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(["sh", "-c", "echo out; echo err >&2; exit 3"]).sync()
    error = caught.value
    assert (error.exit_code, error.stdout, error.stderr) == (3, "out", "err")
    assert error.command == ["sh", "-c", "echo out; echo err >&2; exit 3"]
    assert str(error) == "exit code: 3"


async def test_a_command_that_is_not_there_fails_as_daggers_init_does(base):
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(["no-such-command"]).sync()
    assert caught.value.exit_code == 1
    assert caught.value.stderr == 'exec: "no-such-command": executable file not found in $PATH'


@pytest.mark.parametrize(
    ("expect", "code", "fails"),
    [
        (dagger.ReturnType.SUCCESS, 0, False),
        (dagger.ReturnType.SUCCESS, 1, True),
        (dagger.ReturnType.FAILURE, 0, True),
        (dagger.ReturnType.FAILURE, 7, False),
        (dagger.ReturnType.ANY, 0, False),
        (dagger.ReturnType.ANY, 254, False),
        (dagger.ReturnType.ANY, 137, True),
    ],
)
async def test_the_expected_exit_codes_are_no_error(base, expect, code, fails):
    step = base.with_exec(["sh", "-c", f"exit {code}"], expect=expect)
    if fails:
        with pytest.raises(dagger.ExecError):
            await step.exit_code()
    else:
        assert await step.exit_code() == code


async def test_stdin_is_given_or_taken_from_a_file(base):
    assert await base.with_exec(["cat"], stdin="given").stdout() == "given"
    from_file = base.with_new_file("/in.txt", "from a file").with_exec(["cat"], redirect_stdin="/in.txt")
    assert await from_file.stdout() == "from a file"


async def test_output_can_be_redirected_to_files_also_in_a_mounted_directory(base, dag):
    step = base.with_mounted_directory("/mnt", dag.directory()).with_exec(
        ["sh", "-c", "echo hello; echo goodbye >&2"], redirect_stdout="out", redirect_stderr="/mnt/err"
    )
    assert await step.file("out").contents() == "hello\n"
    assert await step.file("/mnt/err").contents() == "goodbye\n"
    assert await step.stdout() == "hello\n"


async def test_the_environment_is_what_was_set_and_a_path_and_a_home(base):
    step = (
        base.with_env_variable("A", "x=y")
        .with_env_variable("E", "€")
        .with_exec(["sh", "-c", 'echo "$A $E $HOME"; command -v sh'])
    )
    assert await step.stdout() == "x=y € /root\n/usr/bin/sh\n"


async def test_arguments_are_expanded_only_when_asked(base):
    container = base.with_env_variable("NAME", "value")
    assert await container.with_exec(["echo", "${NAME}/$NAME"], expand=True).stdout() == "value/value\n"
    assert await container.with_exec(["echo", "${NAME}"]).stdout() == "${NAME}\n"


async def test_a_secret_variable_cannot_be_expanded_into_arguments(base, dag):
    container = base.with_secret_variable("TOKEN", dag.set_secret("expanded", "hush"))
    with pytest.raises(dagger.QueryError, match='expand cannot be used with secret env variable "TOKEN"'):
        await container.with_exec(["echo", "$TOKEN"], expand=True).stdout()


async def test_entrypoint_and_default_arguments_are_used_as_told(base):
    container = base.with_entrypoint(["echo", "entry"]).with_default_args(["default"])
    assert await container.with_exec(["given"], use_entrypoint=True).stdout() == "entry given\n"
    assert await container.with_exec([], use_entrypoint=True).stdout() == "entry default\n"
    assert await container.with_entrypoint(["x"]).default_args() == []
    assert await container.with_entrypoint(["x"], keep_default_args=True).default_args() == ["default"]
    assert await container.without_entrypoint(keep_default_args=True).entrypoint() == []


async def test_a_working_directory_is_made_when_it_is_missing(base):
    container = base.with_workdir("/deep/down")
    assert await container.with_exec(["pwd"]).stdout() == "/deep/down\n"
    assert await container.with_workdir("../up").workdir() == "/deep/up"


@pytest.mark.parametrize(
    ("user", "seen"),
    [
        ("", "0:0"),
        ("nobody", "65534:65534"),
        ("1234", "1234:0"),
        ("1234:5678", "1234:5678"),
        ("0:nogroup", "0:65534"),
    ],
)
async def test_a_step_runs_as_the_user_it_names_and_owns_what_it_makes(base, user, seen):
    step = base.with_user(user).with_exec(
        ["sh", "-c", "echo $(id -u):$(id -g); touch /tmp/made; stat -c %u:%g /tmp/made"]
    )
    assert await step.stdout() == f"{seen}\n{seen}\n"


async def test_an_unknown_user_is_named(base):
    with pytest.raises(dagger.QueryError, match="unable to find user somebody"):
        await base.with_user("somebody").with_exec(["true"]).sync()


async def test_output_that_is_no_utf8_is_replaced_not_refused(base):
    assert await base.with_exec(["printf", r"a\377b"]).stdout() == "a�b"


async def test_long_output_is_kept_whole_and_an_error_has_its_end(base):
    step = base.with_exec(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; echo; echo the end"])
    assert (await step.stdout()).endswith("x\nthe end\n")
    assert len(await step.stdout()) == 300_009
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; exit 1"]).sync()
    assert caught.value.stdout.startswith("[omitting 197600 bytes]...")
    assert len(caught.value.stdout) == 100 * 1024


async def test_processes_are_alone_and_root_has_dockers_capabilities(base):
    step = base.with_exec(["sh", "-c", "grep CapEff /proc/self/status; ls -d /proc/[0-9]* | wc -l"])
    capabilities, count = (await step.stdout()).split("\n")[:2]
    assert capabilities.split()[1] == "00000000a80425fb"
    assert int(count) < 6


async def test_a_nested_client_reaches_the_session(base):
    step = base.with_exec(
        ["sh", "-c", 'test -n "$DAGGER_SESSION_TOKEN" && echo $DAGGER_SESSION_PORT'],
        experimental_privileged_nesting=True,
    )
    assert int(await step.stdout()) > 0
