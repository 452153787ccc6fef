"""`dagger run`: a command with a session."""

import contextlib
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.embedded

SH = "/bin/sh"


@pytest.fixture
def run(dagger, environ):
    def run(*arguments: str, **more):
        options = {
            "env": environ,
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
        }
        return subprocess.run([dagger, *arguments], check=False, **(options | more))

    return run


def test_the_command_finds_the_session_in_its_environment(run, environ):
    done = run("run", SH, "-c", "echo ${DAGGER_SESSION_PORT:?} ${#DAGGER_SESSION_TOKEN}")
    assert done.returncode == 0
    port, length = done.stdout.split()
    assert port.isdigit()
    assert length == "48"
    assert done.stderr.splitlines()[0] == "dagger: serving from the embedded engine (SHIPWAY_DAGGER=embedded)"


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 128 + 9)])
def test_the_exit_code_is_the_commands(run, script, code):
    assert run("run", SH, "-c", script).returncode == code


def test_the_commands_options_are_its_own(run):
    done = run("run", "--progress", "quiet", "echo", "--progress", "x", "--embedded")
    assert done.stdout == "--progress x --embedded\n"
    assert run("run", "--", "echo", "--", "x").stdout == "-- x\n"


def test_stdin_is_the_commands(run):
    assert run("run", "cat", stdin=None, input="hello").stdout == "hello"


def test_the_command_runs_outside_the_engines_namespaces(run):
    here = os.readlink("/proc/self/ns/mnt")
    assert run("run", "readlink", "/proc/self/ns/mnt", "/proc/self/ns/user").stdout.splitlines()[0] == here


def test_a_command_that_is_not_there_is_one_line_and_exit_code_1(run):
    done = run("run", "no-such-command")
    assert done.returncode == 1
    assert 'Error: exec: "no-such-command": executable file not found in $PATH' in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_command_there_is_one_line_and_exit_code_1(run):
    done = run("run")
    assert done.returncode == 1
    assert "Error: requires at least 1 arg(s)" in done.stderr


def test_a_run_inside_a_run_shares_its_session(run, dagger):
    script = f"echo $DAGGER_SESSION_PORT; {dagger} run sh -c 'echo $DAGGER_SESSION_PORT'"
    outer, inner = run("run", SH, "-c", script).stdout.split()
    assert outer == inner


def test_an_engine_that_cannot_start_has_said_why(run, environ, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("run", "echo", "ran", env=environ | {"SHIPWAY_STATE": str(tmp_path / "file")})
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot write to the state folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def interrupted(dagger, environ, tmp_path):
    """Start a run of a script that says when it is ready, and give its process and its pids."""
    started = []

    def start(script: str, *options: str):
        pipe = tmp_path / f"ready{len(started)}"
        os.mkfifo(pipe)
        process = subprocess.Popen(
            [dagger, "run", *options, SH, "-c", script],
            env=environ | {"READY": str(pipe)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        pipe.read_text()
        return process

    yield start
    for process in started:
        with process:
            process.kill()


TRAP = "trap 'echo caught; exit 5' INT; echo > $READY; while :; do sleep 0.05; done"


def test_ctrl_c_on_a_terminal_reaches_the_command_once_and_its_exit_code_comes_back(dagger, environ):
    # In short sleeps: a shell that is about to start a long one would not look at the signal before its end.
    script = """
        trap 'echo caught; left=6' INT; left=-1; echo ready
        while [ $left != 0 ]; do sleep 0.05; [ $left -lt 0 ] || left=$((left - 1)); done
        exit 5
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(dagger, [dagger, "run", SH, "-c", script], environ)  # noqa: S606
    with open(terminal, "r+b", buffering=0) as screen:
        shown = _read_until(screen, b"ready")
        screen.write(b"\x03")
        shown = _read_until(screen, None)
    assert shown.count(b"caught") == 1
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


def _read_until(screen, mark: bytes | None) -> bytes:
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody is there any more
        while (data := screen.read(1024)) and not (mark and mark in shown + data):
            shown += data
    return shown


def test_a_signal_to_dagger_alone_is_passed_on(interrupted):
    process = interrupted(TRAP)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "caught\n"
    assert process.returncode == 5


def test_a_command_that_will_not_end_is_killed_after_the_cleanup_timeout(interrupted):
    process = interrupted(
        "trap '' TERM; echo > $READY; while :; do sleep 0.05; done", "--cleanup-timeout", "200ms"
    )
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGKILL


def test_the_engine_ends_when_dagger_is_killed(interrupted):
    process = interrupted("echo > $READY; sleep 1")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    [engine] = [c for c in children if b"session" in Path(f"/proc/{c}/cmdline").read_bytes()]
    descriptor = os.pidfd_open(int(engine))
    process.kill()
    assert select.select([descriptor], [], [], 20)[0], "the engine is still there"
    os.close(descriptor)


FAILING = (
    '{container{withRootfs(directory:DIRECTORY){withExec(args:["sh","-c","echo why >&2; exit 3"]){sync}}}}'
)


def test_the_end_says_what_failed_with_its_output_and_how_to_run_it_again(run, client, root):
    command = ["run", sys.executable, client, str(root), FAILING]
    done = run(*command)
    assert done.returncode == 1
    end = done.stderr[done.stderr.index("✘") :].splitlines()
    assert end[0].startswith("✘ withExec sh -c 'echo why >&2; exit 3'")
    assert end[1:4] == ["┃ why", "! exit code: 3", ""]
    assert shlex.split(end[4].removeprefix("run it again: ")) == ["dagger", *command]
    assert shlex.split(end[5].removeprefix("look inside: ")) == ["dagger", "-i", *command]


def test_a_step_that_the_command_meant_to_fail_is_not_told_about_at_the_end(run, client, root):
    script = f"{sys.executable} {client} {root} '{FAILING.replace(chr(34), chr(92) + chr(34))}' || true"
    done = run("run", SH, "-c", script)
    assert done.returncode == 0
    assert "run it again" not in done.stderr


def test_on_a_terminal_a_tree_and_above_it_what_the_command_writes(dagger, environ):
    script = "echo to out; echo to err >&2; printf 'no end'; exit 5"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(dagger, [dagger, "run", SH, "-c", script], environ | {"TERM": "xterm"})  # noqa: S606
    with open(terminal, "r+b", buffering=0) as screen:
        shown = _read_until(screen, None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    for written in (b"to out\r\n", b"to err\r\n", b"no end\r\n"):
        assert written in shown


def test_output_that_does_not_go_to_the_terminal_is_left_alone(dagger, environ, tmp_path):
    pid, terminal = pty.fork()
    if pid == 0:
        with open(tmp_path / "out", "wb") as file:
            os.dup2(file.fileno(), 1)
        os.execve(dagger, [dagger, "run", "printf", "\\0\\377"], environ | {"TERM": "xterm"})  # noqa: S606
    with open(terminal, "r+b", buffering=0) as screen:
        _read_until(screen, None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (tmp_path / "out").read_bytes() == b"\0\xff"
