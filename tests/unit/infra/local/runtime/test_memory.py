"""What counts as a container's memory, of real processes."""

import subprocess
import sys

import anyio
import pytest

from infra.local.runtime import memory

MIB = 1 << 20
HOARD = "import mmap, os, sys; {}; print('there', flush=True); sys.stdin.read()"


@pytest.fixture
def process():
    started = []

    def start(what, lines=1):
        command = [sys.executable, "-S", "-c", HOARD.format(what)]
        begun = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(begun)
        for _ in range(lines):
            begun.stdout.readline()
        return begun.pid

    yield start
    for each in started:
        each.communicate()


def test_what_a_process_and_its_children_have_counts_and_what_they_share_counts_once(process):
    alone = memory.in_use(process("a = b'x' * (60 << 20)"), 0)
    shared = memory.in_use(process("a = b'x' * (60 << 20); os.fork()", 2), 0)
    both = memory.in_use(process("os.fork(); a = b'x' * (60 << 20)", 2), 0)
    assert 60 * MIB < alone < 90 * MIB
    assert 60 * MIB < shared < 90 * MIB
    assert both > 115 * MIB


def test_files_that_are_mapped_do_not_count_twice(process):
    pid = process("m = mmap.mmap(-1, 60 << 20); m.write(b'x' * (60 << 20))")
    assert memory.in_use(pid, 60 * MIB) < 100 * MIB
    assert memory.in_use(pid, 200 * MIB) > 200 * MIB


async def test_who_has_too_much_is_found_out(process):
    pid = process("a = b'x' * (60 << 20)")
    with anyio.fail_after(5):
        assert await memory.exceeded(pid, 50 * MIB, lambda: 0) > 60 * MIB
        assert await memory.exceeded(pid, 100 * MIB, lambda: 70 * MIB) > 130 * MIB
    with anyio.move_on_after(0.1) as waited:
        await memory.exceeded(pid, 200 * MIB, lambda: 0)
    assert waited.cancelled_caught


def test_the_message_is_google_s():
    assert memory.message(512 * MIB, 523 * MIB) == (
        "Memory limit of 512 MiB exceeded with 523 MiB used. Consider increasing the memory limit, see "
        "https://cloud.google.com/run/docs/configuring/memory-limits"
    )
