"""A step that prints without end costs neither memory nor disk, and its last words are told."""

import shutil
import threading
from pathlib import Path

import pytest

from ci.engine.errors import OUTPUT_LIMIT

MB = 1 << 20
LINES = 66  # of 991 bytes: a write of about 64 KiB
FLOOD = (
    "import os, sys\n"
    f"many = (b'flood of words ' * 66 + b'\\n') * {LINES}\n"
    "for _ in range({times}): os.write(1, many)\n"
    "print('last words', file=sys.stderr); sys.exit({code})"
)
WRITE = LINES * (15 * 66 + 1)


def watched(session, work):
    """What ``work`` gives; the most that the engine had of memory meanwhile, and of the disk, in MB."""
    done = threading.Event()
    sizes, disk = [], []

    def look():
        while not done.wait(0.05):
            status = Path(f"/proc/{session.process.pid}/status").read_text(encoding="ascii")
            sizes.append(int(status.partition("VmRSS:")[2].split()[0]) // 1024)
            disk.append(shutil.disk_usage(Path.home()).free // MB)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        found = work()
    finally:
        done.set()
        watcher.join()
    return found, max(sizes), max(disk) - min(disk)


@pytest.mark.slow
def test_a_step_that_writes_a_gigabyte_fails_with_its_last_words(open_session):
    session = open_session()
    times = (1 << 30) // WRITE
    (code, stdout, stderr), memory, disk = watched(
        session, lambda: session.run(FLOOD.format(times=times, code=3))
    )
    assert (code, stderr) == (3, "last words")
    assert stdout.startswith(f"[omitting {times * WRITE - OUTPUT_LIMIT} bytes]...")
    assert stdout.endswith("flood of words")
    assert memory < 200
    assert disk < 700  # twice 128 MiB of it, and whatever else goes on here


@pytest.mark.slow
def test_an_output_that_is_more_than_anybody_may_ask_for_is_refused_and_the_step_is_not(open_session):
    session = open_session()
    times = (140 << 20) // WRITE
    code, _, told = session.run(FLOOD.format(times=times, code=0))
    assert code == -1
    assert told == f"file size {times * WRITE} exceeds limit {128 << 20}"
