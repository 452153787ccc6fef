"""Steps at their limits, and how they are known again, as Dagger's own tests (container_test.go) have it."""

import socket
import uuid
from pathlib import Path

import dagger
import pytest

from tests.sessions import Session

NOW = ["sh", "-c", "cat /proc/sys/kernel/random/uuid"]


def memory(session: Session) -> int:
    """The most memory that the session's engine has ever had, in KiB."""
    status = Path(f"/proc/{session.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


async def test_output_without_end_takes_no_memory(base, session):
    await base.with_exec(["true"]).sync()
    before = memory(session)
    step = base.with_exec(["sh", "-c", "yes 'a line of output' | head -c 60000000; echo end >&2"])
    assert await step.stderr() == "end\n"
    assert memory(session) - before < 30_000


async def test_a_step_that_fails_tells_its_output_also_when_that_went_to_files(base):
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(
            ["sh", "-c", "echo out; echo err >&2; exit 1"], redirect_stdout="/out", redirect_stderr="/err"
        ).sync()
    assert (caught.value.stdout, caught.value.stderr) == ("out", "err")


async def test_stdin_is_either_text_or_a_file(base):
    with pytest.raises(dagger.QueryError, match="cannot set both stdin and redirectStdin"):
        await base.with_exec(["cat"], stdin="a", redirect_stdin="/etc/hostname").stdout()
    assert await base.with_exec(["cat"], stdin="zwölf\n" * 10_000).stdout() == "zwölf\n" * 10_000
    with pytest.raises(dagger.ExecError, match="/missing: no such file or directory"):
        await base.with_exec(["cat"], redirect_stdin="/missing").stdout()


async def test_without_an_init_the_command_is_the_first_process(base):
    command = ["sh", "-c", "echo $$"]
    assert await base.with_exec(command, no_init=True).stdout() == "1\n"
    assert await base.with_exec(command).stdout() != "1\n"


async def test_all_capabilities_are_there_when_asked_for(base):
    command = ["sh", "-c", "grep -E '^Cap(Prm|Eff)' /proc/self/status"]
    usual = await base.with_exec(command).stdout()
    every = await base.with_exec(command, insecure_root_capabilities=True).stdout()
    assert {line.split()[1] for line in usual.splitlines()} == {"00000000a80425fb"}
    admin, rawio, boot = 1 << 21, 1 << 17, 1 << 22
    for line in every.splitlines():
        assert int(line.split()[1], 16) & (admin | rawio | boot) == admin | rawio | boot


async def test_a_secret_is_masked_whole_whatever_is_in_it(base, dag):
    for number, text in enumerate(("very\nsecret\ntext\n", "x" * 60_000)):
        secret = dag.set_secret(f"masked-{number}", text)
        step = base.with_secret_variable("KEY", secret).with_exec(["sh", "-c", 'printf %s "$KEY"'])
        assert await step.stdout() == "***"


async def test_a_nested_client_has_the_sessions_engine(base):
    ask = (
        "import base64, json, os, urllib.request as u\n"
        "token = base64.b64encode((os.environ['DAGGER_SESSION_TOKEN'] + ':').encode()).decode()\n"
        "url = f\"http://127.0.0.1:{os.environ['DAGGER_SESSION_PORT']}/query\"\n"
        "body = json.dumps({'query': '{defaultPlatform}'}).encode()\n"
        "headers = {'Authorization': 'Basic ' + token, 'Content-Type': 'application/json'}\n"
        "print(u.urlopen(u.Request(url, body, headers)).read().decode(), end='')\n"
    )
    step = base.with_exec(["python3", "-c", ask], experimental_privileged_nesting=True)
    assert await step.stdout() == f'{{"data":{{"defaultPlatform":"{await base.platform()}"}}}}'


async def test_a_socket_of_the_hosts_is_used_by_a_step_which_is_known_by_where_it_is(base, dag, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        connect = "import socket; socket.socket(socket.AF_UNIX).connect('/opt/bar.sock')"
        container = base.with_env_variable("foo", "bar").with_unix_socket(
            "/opt/${foo}.sock", dag.host().unix_socket(str(path)), expand=True
        )
        step = container.with_exec(["python3", "-c", f"{connect}; import uuid; print(uuid.uuid4())"])
        first = await step.stdout()
        again = container.with_exec(["true"]).with_exec(["python3", "-c", f"{connect}; print('second')"])
        assert await again.stdout() == "second\n"
        assert await step.stdout() == first
        gone = container.without_unix_socket("/opt/${foo}.sock", expand=True)
        with pytest.raises(dagger.ExecError):
            await gone.with_exec(["ls", "/opt/bar.sock"]).sync()


@pytest.mark.parametrize("route", ["file", "directory", "filter"])
async def test_a_file_of_the_hosts_is_known_by_its_content(base, dag, workdir, route):
    async def run(name: str, text: str) -> str:
        folder = workdir / f"{route}-{name}"
        folder.mkdir()
        (folder / "rand").write_text(text)
        file = {
            "file": lambda: dag.host().file(str(folder / "rand")),
            "directory": lambda: dag.host().directory(str(folder)).file("rand"),
            "filter": lambda: dag.host().directory(str(folder)).filter(exclude=["none"]).file("rand"),
        }[route]()
        return await base.with_file("the-file", file).with_exec(NOW).stdout()

    text = uuid.uuid4().hex
    first = await run("one", text)
    assert await run("two", text) == first
    assert await run("three", uuid.uuid4().hex) != first


async def test_a_link_counts_by_what_it_says(base):
    step = base.with_symlink("bar", "/foo").with_exec(NOW)
    assert await step.stdout() == await base.with_symlink("bar", "/foo").with_exec(NOW).stdout()
    assert await step.stdout() != await base.with_symlink("barf", "/foo").with_exec(NOW).stdout()


async def test_credentials_for_a_registry_do_not_count(base, dag):
    secret = dag.set_secret(uuid.uuid4().hex, "dummy")
    known = base.with_registry_auth("registry.example.com", "anyuser", secret)
    assert await known.with_exec(NOW).stdout() == await base.with_exec(NOW).stdout()
    assert await known.without_registry_auth("registry.example.com").with_exec(["true"]).exit_code() == 0


async def test_labels_ports_and_annotations_do_not_count(base):
    told = base.with_label("a", "1").with_exposed_port(80).with_annotation("b", "2").with_entrypoint(["x"])
    assert await told.with_exec(NOW).stdout() == await base.with_exec(NOW).stdout()


async def test_a_service_counts_by_what_goes_into_it(base, dag):
    def bound(container: dagger.Container) -> dagger.Container:
        service = container.with_default_args(["sleep", "30"]).as_service()
        return base.with_service_binding("s", service)

    one = base.with_new_file("/f", "1")
    same = base.with_directory("/", dag.directory().with_new_file("f", "1"))
    first = await bound(one).with_exec(NOW).stdout()
    assert await bound(same).with_exec(NOW).stdout() == first
    assert await bound(base.with_new_file("/f", "2")).with_exec(NOW).stdout() != first


async def test_a_step_that_could_not_be_started_says_why(base):
    for step, reason in (
        (base.with_user("nobody-here").with_exec(["true"]), "get user: unable to find user nobody-here"),
        (
            base.with_exec(["cat"], redirect_stdin="/nope"),
            "open redirect stdin file: open /nope: no such file",
        ),
        (
            base.with_exec(["true"], redirect_stdout="/no/out"),
            "open redirect stdout file: open /no/out: no such",
        ),
        (
            base.with_exec(["true"], redirect_stderr="no/err"),
            "open redirect stderr file: open /no/err: no such",
        ),
    ):
        with pytest.raises(dagger.ExecError) as caught:
            await step.sync()
        assert caught.value.exit_code == -1
        assert str(caught.value).startswith(reason)


async def test_output_goes_to_a_file_in_a_folder_that_only_steps_see(base, dag):
    volume = dag.cache_volume(uuid.uuid4().hex)
    step = base.with_mounted_temp("/t").with_mounted_cache("/c", volume).with_workdir("/made")
    for place in ("/t/out", "/c/out", "out"):
        assert await step.with_exec(["echo", "x"], redirect_stdout=place).stdout() == "x\n"


async def test_what_a_step_starts_can_not_have_more_capabilities_than_it(base):
    bounds = await base.with_exec(["sh", "-c", "grep -E '^Cap(Prm|Bnd)' /proc/self/status"]).stdout()
    assert bounds == "CapPrm:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n"
