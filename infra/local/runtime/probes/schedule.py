"""When a probe asks, and how many failures it takes."""

import asyncio
import socket
from collections.abc import AsyncIterator

import anyio

from infra.local.runtime.contract import Probe
from infra.local.runtime.probes.ask import Dial, ask

#: What Cloud Run does where a service says nothing: one try, for as long as may be.
DEFAULT_TIMEOUT = 240.0

# Seconds between looks at a port that is closed, at first and later, and how long "at first" is.
_POLL, _POLL_LATER, _EAGER = 0.004, 0.05, 5.0


def default_startup(port: int) -> Probe:
    """The startup probe of a container that has none."""
    return Probe("tcp", port, timeout=DEFAULT_TIMEOUT, period=DEFAULT_TIMEOUT, failure_threshold=1)


async def startup(probe: Probe, dial: Dial) -> int:
    """Check until the container is well: how many attempts it took, or 0 when it failed as often as it may.

    An attempt whose port is closed goes on until the next one is due, so that one that opens meanwhile is
    found at once; a container that listens is asked once an attempt.
    """
    await anyio.sleep(probe.initial_delay)
    attempts = max(probe.failure_threshold, 1)
    for attempt in range(1, attempts + 1):
        last = attempt == attempts
        with anyio.move_on_after(probe.timeout if last else max(probe.period, probe.timeout)):
            with await _opened(probe.port, dial) as connection:
                if await _timely(probe, connection):
                    return attempt
            if not last:
                await anyio.sleep_forever()  # until the next one is due
    return 0


async def healthy(probe: Probe, dial: Dial) -> bool:
    """Check once."""
    with anyio.move_on_after(probe.timeout):
        try:
            connection = await dial(probe.port)
        except OSError:
            return False
        with connection:
            return await ask(probe, connection)
    return False


async def watch(probe: Probe, dial: Dial) -> AsyncIterator[bool]:
    """Check for ever: whether it is well each time that this changes, at first taken for well.

    It takes `failure_threshold` failures in a row to be ill, and one success to be well again.
    """
    await anyio.sleep(probe.initial_delay)
    failures, ill = 0, False
    while True:
        failures = 0 if await healthy(probe, dial) else failures + 1
        if (failures >= probe.failure_threshold) if not ill else not failures:
            ill = not ill
            yield not ill
        await anyio.sleep(probe.period)


async def _timely(probe: Probe, connection: socket.socket) -> bool:
    with anyio.move_on_after(probe.timeout):
        return await ask(probe, connection)
    return False


async def _opened(port: int, dial: Dial) -> socket.socket:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        try:
            return await dial(port)
        except OSError:
            await anyio.sleep(_POLL if loop.time() - began < _EAGER else _POLL_LATER)
