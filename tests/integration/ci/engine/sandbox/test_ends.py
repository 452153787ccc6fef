"""However a container ends, or its engine, nothing of it is left."""

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

# A step with a family: a child in a session of its own, a grandchild that ignores signals.
FAMILY = "trap '' TERM HUP INT; (sleep 1000 & sleep 1000) & echo started; sleep 1000"


def ended(pidfd: int) -> bool:
    """Whether the process ends within a generous time; pid 1 of a namespace ends after all others in it."""
    return bool(select.select([pidfd], [], [], 20)[0])


def said(process: subprocess.Popen) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


STARTED = """
async def main():
    begun = anyio.Event()
    async with sandbox.start(spec(%r), lambda chunk: begun.set(), ignore) as container:
        await begun.wait()
        print(container.pid, flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


@pytest.mark.parametrize(("uid", "init"), [(0, True), (0, False), (1000, True), (1000, False)])
def test_no_process_and_no_mount_survives_kill_9_of_the_engine(script, tmp_path, uid, init):
    process = script(STARTED % FAMILY, uid, init)
    container = os.pidfd_open(int(said(process)))
    # The engine itself: behind an unprivileged prefix it is the last of a chain.
    os.killpg(process.pid, signal.SIGKILL)
    assert ended(container)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    os.close(container)


def test_an_engine_that_dies_before_the_command_starts_never_starts_it(script, tmp_path):
    body = """
def die(self, filters):
    print(self.process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
process.launch.Launched.open_gate = die
anyio.run(sandbox.run, spec("echo > /ran"), ignore, ignore)
"""
    process = script(body)
    started = int(said(process))
    try:
        launcher = os.pidfd_open(started)
    except ProcessLookupError:
        pass
    else:
        assert ended(launcher)
        os.close(launcher)
    process.communicate()  # until everyone who could write to its output is gone
    with suppress(ProcessLookupError):  # what bwrap has not let go on is the next engine's to end
        os.killpg(started, signal.SIGKILL)
    assert not (tmp_path / "step/upper/ran").exists()


@pytest.mark.parametrize("uid", [0, 1000])
def test_a_cancelled_step_is_gone_when_the_cancellation_is(script, uid):
    body = """
async def main():
    async with anyio.create_task_group() as group:
        async def step():
            try:
                await sandbox.run(spec(%r), lambda chunk: group.cancel_scope.cancel(), ignore)
            except anyio.get_cancelled_exc_class():
                print(left(), flush=True)
                raise
        group.start_soon(step)
anyio.run(main)
print(left(), flush=True)
"""
    process = script(body % FAMILY, uid)
    assert (said(process), said(process)) == ("[]", "[]")


def test_ctrl_c_reaches_the_engine_which_ends_the_step(script):
    body = """
async def main():
    container = None
    def begun(chunk):
        print(container.pid, flush=True)
    async with sandbox.start(spec(%r), begun, ignore) as container:
        await container.wait()
try:
    anyio.run(main)
except KeyboardInterrupt:
    print("interrupted", left(), flush=True)
"""
    process = script(body % FAMILY)
    container = os.pidfd_open(int(said(process)))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert ended(container)
    os.close(container)


def test_an_error_in_the_engine_ends_the_step_and_arrives_as_it_is(script):
    body = """
async def main():
    try:
        async with sandbox.start(spec(%r), ignore, ignore):
            raise LookupError("of the caller")
    except LookupError as error:
        print(error, left(), flush=True)
anyio.run(main)
"""
    assert said(script(body % FAMILY)) == "of the caller []"


def test_an_output_callback_that_fails_ends_the_step_and_is_raised(script):
    body = """
def full(chunk):
    raise OSError("disk full")
async def main():
    try:
        await sandbox.run(spec("while true; do echo x; done"), full, ignore)
    except OSError as error:
        print(error, left(), flush=True)
anyio.run(main)
"""
    assert said(script(body)) == "disk full []"


@pytest.mark.parametrize("init", [True, False])
def test_a_signal_reaches_the_command_and_output_arrives_before_the_end(script, init):
    body = """
async def main():
    begun = anyio.Event()
    output = []
    def out(chunk):
        output.append(chunk)
        begun.set()
    step = "trap 'echo bye; exit 5' TERM; echo hello; while true; do sleep 0.01; done"
    async with sandbox.start(spec(step), out, ignore) as container:
        await begun.wait()
        container.signal(signal.SIGTERM)
        print(await container.wait(), b"".join(output).split(), flush=True)
        container.signal(signal.SIGTERM)
        container.kill()
anyio.run(main)
"""
    assert said(script(body, init=init)) == "5 [b'hello', b'bye']"


def test_a_signal_sent_at_once_is_not_lost(script):
    body = """
async def main():
    async with sandbox.start(spec("exec sleep 1000"), ignore, ignore) as container:
        container.signal(signal.SIGTERM)
        print(await container.wait(), flush=True)
anyio.run(main)
"""
    assert said(script(body)) == str(128 + signal.SIGTERM)


def test_a_killed_step_exits_with_137(script):
    body = """
async def main():
    begun = anyio.Event()
    async with sandbox.start(spec(%r), lambda chunk: begun.set(), ignore) as container:
        await begun.wait()
        container.kill()
        print(await container.wait(), flush=True)
anyio.run(main)
"""
    assert said(script(body % FAMILY)) == "137"


def test_steps_run_side_by_side(script):
    body = """
async def main():
    fifo = place / "fifo"
    os.mkfifo(fifo)
    async def one(name, script):
        mount = sandbox.Bind(fifo, "/fifo")
        from dataclasses import replace
        output = []
        await sandbox.run(replace(spec(script, name), mounts=(mount,)), output.append, ignore)
        print(name, b"".join(output), left() if name == "second" else "", flush=True)
    async with anyio.create_task_group() as group:
        group.start_soon(one, "first", "cat /fifo")
        group.start_soon(one, "second", "echo met > /fifo")
anyio.run(main)
print(left())
"""
    process = script(body)
    assert process.stdout is not None
    lines = process.stdout.read().decode().splitlines()
    assert any(line.startswith("first b'met\\n'") for line in lines)
    assert lines[-1] == "[]"


CANCELLED = """
import random, threading, time
import anyio.lowlevel

SEED, TIMES = %d, %d
started = []

launched = process.launch.bwrap

def noted(*arguments):
    found = launched(*arguments)
    started.append(found.process)
    return found

process.launch.bwrap = noted

async def cancelled(number, when):
    async with anyio.create_task_group() as group:
        async def cancel():
            began = time.perf_counter()
            while not when(time.perf_counter() - began):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        group.start_soon(cancel)
        await sandbox.run(spec("exec sleep 1000", str(number)), ignore, ignore)

async def main():
    chance = random.Random(SEED)
    for number in range(TIMES):
        instant = chance.uniform(0, 0.015)
        if SEED:
            await cancelled(number, lambda elapsed: elapsed > instant)
        else:
            await cancelled(number, lambda elapsed: len(started) > number and forked(started[number]))
    print(left(), [each.pid for each in started if each.poll() is None], flush=True)

anyio.run(main)
print([thread.name for thread in threading.enumerate() if not thread.name.startswith(("Main", "berth"))])
"""


def finished(process: subprocess.Popen, patience: float) -> list[str]:
    """All that an engine says to its end; one that hangs is killed, and fails the test."""
    try:
        return process.communicate(timeout=patience)[0].decode().splitlines()
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


@pytest.mark.parametrize("uid", [0, 1000])
def test_a_step_that_is_cancelled_just_as_its_first_process_is_there_is_gone(script, uid):
    assert finished(script(CANCELLED % (0, 40), uid), 30) == ["[] []", "[]"]


@pytest.mark.slow
@pytest.mark.parametrize(("uid", "seed"), [(0, 1), (0, 2), (1000, 3)])
def test_steps_that_are_cancelled_at_any_instant_of_their_start_are_gone(script, uid, seed):
    assert finished(script(CANCELLED % (seed, 300), uid), 60) == ["[] []", "[]"]


def test_a_bwrap_that_is_killed_as_it_starts_leaves_no_process_that_waits_for_it(script):
    body = """
launched = process.launch.bwrap

def killed(*arguments):
    found = launched(*arguments)
    while not forked(found.process):
        pass
    os.kill(found.process.pid, signal.SIGKILL)
    return found

process.launch.bwrap = killed

async def main():
    for number in range(40):
        try:
            await sandbox.run(spec("exec sleep 1000", str(number)), ignore, ignore)
        except sandbox.SandboxError as error:
            pass
    print(left())
anyio.run(main)
"""
    assert finished(script(body), 30) == ["[]"]


@pytest.mark.slow
def test_the_next_engine_ends_what_one_left_that_was_killed_as_a_bwrap_started(script):
    body = """
def died(number):
    launched = process.launch.bwrap

    def die(*arguments):
        found = launched(*arguments)
        while not forked(found.process):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    process.launch.bwrap = die
    berth = sandbox.Berth(confined=True, group=sandbox.Groups.found().make())
    anyio.run(sandbox.run, spec(f"sleep 1000; : {place}", str(number)), ignore, ignore, berth)

if sandbox.Groups.found() is None:
    print("none")
else:
    for number in range(40):
        child = os.fork()
        if not child:
            died(number)
        os.waitpid(child, 0)
    sandbox.Groups.found.cache_clear()
    print(sandbox.Groups.found().version, place)
"""
    version, *place = finished(script(body), 30)[0].split()
    if version != "1":
        pytest.skip("what starts is born in a control group of version 1 alone")
    deadline = time.monotonic() + 5
    while found := running(place[0]):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def running(mark: str) -> list[str]:
    """The processes that have ``mark`` in their command lines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found
