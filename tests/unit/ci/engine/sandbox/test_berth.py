"""The threads that containers are started from: none is left over."""

import subprocess
import threading

import anyio

from ci.engine.sandbox.berth import Berth, Berths
from ci.engine.sandbox.limits import UNLIMITED


def started() -> subprocess.Popen:
    return subprocess.Popen(["true"])


async def test_a_privileged_container_that_is_cancelled_leaves_no_thread_of_its_berth():
    before = threading.enumerate()
    with anyio.CancelScope() as scope:
        async with Berths(Berth).one(UNLIMITED, confined=False) as berth:
            berth.start(started).wait()
            scope.cancel()
            await anyio.sleep_forever()
    assert [
        each for each in threading.enumerate() if each.name.startswith("berth") and each not in before
    ] == []
