"""The user's terminal in a container: `-i`, and the API's ``terminal``, with a real one."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

pytestmark = pytest.mark.embedded

PROMPT = "$ "
CONTAINER = "{container{withRootfs(directory:DIRECTORY){%s}}}"


class Screen:
    """A terminal and what is on the other side of it."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self._pid = pid
        self._descriptor = descriptor
        self.shown = ""

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._descriptor, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text: str) -> str:
        """Read until ``text`` is shown, or to the end; returns what was shown since the last time."""
        found = ""
        while text not in found:
            try:
                chunk = os.read(self._descriptor, 65536)
            except OSError:
                break
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", chunk.decode(errors="replace"))
            found += plain.replace("\r\n", "\n")
        self.shown += found
        return found

    def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        self.until("\0")
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


@contextmanager
def on_screen(command: list[str], environ: dict[str, str]) -> Iterator[Screen]:
    """Run a command on a terminal."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environ | {"TERM": "xterm"})  # noqa: S606
    screen = Screen(pid, descriptor)
    screen.resize(33, 101)
    try:
        yield screen
    finally:
        os.close(descriptor)


@pytest.fixture
def on_a_terminal(dagger, environ, root, client):
    """Run a query as `dagger run` does, on a terminal."""

    def run(query: str, *options: str) -> AbstractContextManager[Screen]:
        return on_screen([dagger, *options, "run", sys.executable, client, str(root), query], environ)

    return run


@pytest.mark.parametrize("progress", ["tty", "plain"])
def test_a_failed_command_leaves_its_container_to_look_into(on_a_terminal, progress):
    mounted = 'withMountedDirectory(path:"/mnt",source:DIRECTORY){%s}'
    script = "echo changed | cat > /mark; echo too > /mnt/mark; exit 3"
    failing = CONTAINER % mounted % f'withExec(args:["sh","-c","{script}"]){{sync}}'
    with on_a_terminal(failing, "-i", "--progress", progress) as screen:
        heading = screen.until(PROMPT)
        assert "✘ Exec failed, attaching terminal:" in heading
        assert "! exit code: 3" in heading
        screen.type("cat /mark /mnt/mark; exit 7\n")
        assert "\nchanged\ntoo\nexit 7\n" in screen.until("too\nexit 7\n")
        assert screen.ended() == 1
        assert "exit code: 3" in screen.shown


def test_it_is_a_terminal_of_the_containers_own_with_the_users_window_and_keys(on_a_terminal):
    with on_a_terminal(CONTAINER % 'terminal(cmd:["sh"]){sync}') as screen:
        assert "● Attaching terminal:" in screen.until(PROMPT)
        screen.type("tty; stty size\n")
        assert "/dev/pts/0\n33 101\n" in screen.until(PROMPT)
        screen.type("sh -c 'echo beg''un; exec sleep 1000'\n")
        screen.until("begun")
        screen.type("\x03")
        screen.until(PROMPT)
        screen.type("echo $?\n")
        assert "\n130\n" in screen.until(PROMPT)
        screen.resize(44, 55)
        screen.type("until [ \"$(stty size)\" = '44 55' ]; do sleep 0.05; done; echo resi''zed\n")
        screen.until("resized")
        screen.type("\x04")
        assert screen.ended() == 0


def test_a_query_may_open_a_terminal_too(dagger, environ, root, tmp_path):
    document = tmp_path / "query.graphql"
    built = 'withNewFile(path:"Dockerfile",contents:"FROM scratch\\nCOPY . /\\n"){dockerBuild{%s}}'
    opened = built % 'terminal(cmd:["sh"]){sync}'
    document.write_text(f'{{host{{directory(path:"{root}"){{{opened}}}}}}}')
    with on_screen([dagger, "query", "--no-mod", "--doc", str(document)], environ) as screen:
        screen.until(PROMPT)
        screen.type("tty; exit\n")
        assert screen.ended() == 0
    assert "\n/dev/pts/0\n" in screen.shown


def test_what_is_changed_on_a_terminal_is_gone_with_it(on_a_terminal):
    with on_a_terminal(CONTAINER % 'terminal{file(path:"/left"){contents}}') as screen:
        screen.until(PROMPT)
        screen.type("echo here > /left; exit\n")
        assert screen.ended() == 1
        assert "no such file" in screen.shown


def test_the_containers_own_terminal_command_runs_as_its_user_with_no_more_rights_than_a_step(on_a_terminal):
    script = "echo in $PWD; id -u; tty; cat /proc/self/status"
    query = CONTAINER % (
        f'withUser(name:"1000"){{withDefaultTerminalCmd(args:["sh","-c","{script}"]){{terminal{{sync}}}}}}'
    )
    with on_a_terminal(query) as screen:
        assert screen.ended() == 0
        assert "in /\n1000\n/dev/pts/0\n" in screen.shown
        status = dict(re.findall(r"(\w+):\s*(\S+)", screen.shown))
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert int(status["SigIgn"], 16) & 0x7FFFFFFF == 0  # beyond are signals of the C library's own


def test_a_terminal_beside_a_service(on_a_terminal):
    service = CONTAINER % (
        'withDefaultArgs(args:["sh","-c","echo serving > /mark; sleep 1000"])'
        '{asService{terminal(cmd:["sh","-c","cat /mark; tty"]){hostname}}}'
    )
    with on_a_terminal(service) as screen:
        assert screen.ended() == 0
        assert "serving" in screen.shown
        assert "/dev/pts/0" in screen.shown


def test_a_terminal_that_is_hung_up_ends_the_command(on_a_terminal):
    with on_a_terminal(CONTAINER % 'terminal(cmd:["sh"]){sync}') as screen:
        screen.until(PROMPT)
    assert screen.ended() != 0


def test_without_a_terminal_there_is_daggers_own_error(dagger, environ, root, client):
    command = [dagger, "run", sys.executable, client, str(root), CONTAINER % "terminal{sync}"]
    done = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # and with it no terminal, also where the tests have one
    )
    assert done.returncode == 1
    reason = "running shell without the TUI is not supported"
    assert f"rpc error: code = Unknown desc = {reason}" in done.stdout


def test_a_terminal_that_is_hung_up_at_any_time_ends_the_session(on_a_terminal):
    failing = CONTAINER % 'withExec(args:["sh","-c","sleep 0.2; exit 3"]){sync}'
    with on_a_terminal(failing, "-i", "--progress", "tty") as screen:
        screen.until("serving from")
    assert screen.ended() != 0
