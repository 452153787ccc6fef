"""`dagger generate` and `dagger up` on a module with a generator and a service."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


@pytest.mark.parametrize(
    ("command", "listed"),
    [
        ("generate", "Name           Description\nversion-file   Write the version down.\n"),
        ("up", "Name   Description\nweb    Serve a page\n"),
    ],
)
def test_marked_functions_are_listed_with_the_first_line_of_what_they_say(dagger, command, listed):
    done = dagger(command, "-l", "-m", "project")
    assert (done.code, done.out) == (0, listed), done.err


def test_what_is_generated_is_applied_when_that_is_wanted(dagger, repository):
    done = dagger("generate", "-m", "project")
    assert (done.code, done.err.splitlines()[0]) == (0, "+ version.txt"), done.err
    assert not (repository / "version.txt").exists()
    assert dagger("generate", "-y", "-m", "project", "version-*").code == 0
    written = repository / "version.txt"
    assert written.read_text() == "1"
    written.unlink()  # the repository is others' too
    done = dagger("generate", "-m", "project", "nothing-like-this")
    assert (done.code, done.err) == (0, "no changes to apply\n")


def test_services_are_open_on_the_host_until_they_are_interrupted(alone, repository):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = repository / "project/src/project/__init__.py"
    code.write_text(code.read_text().replace("PORT = 80\n", f"PORT = {port}\n"))
    command = [sys.executable, "-m", "ci.engine.cli", "--embedded", "up", "-m", "project", "web"]
    with subprocess.Popen(command, cwd=repository, stderr=subprocess.PIPE) as process:
        assert _served(port, process) == b"served"
        process.send_signal(signal.SIGINT)
        told = process.stderr.read().decode()
        assert process.wait(10) == 0, told
    assert f"tunnel 127.0.0.1:{port} -> " in told


def _served(port: int, process: subprocess.Popen) -> bytes:
    """What a web server answers, once it is there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return answer.read()
        except urllib.error.URLError:
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)
