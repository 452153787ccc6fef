"""A trivial step on a cached base, each time new to the cache; and what a bare process takes."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import anyio

from ci.session import Session
from tests.bench.clone import ROOT

STEPS = 30


def embedded() -> float:
    """Median seconds of `true` in a container, from the client's call to its answer."""
    with Session(os.environ, Path(ROOT), stderr=subprocess.DEVNULL) as session:
        import dagger

        session.ready()

        async def measure() -> list[float]:
            async with dagger.connection():
                base = await dagger.dag.container().from_("python:3.11-slim").with_exec(["true"]).sync()
                return [await _step(base, number) for number in range(STEPS)]

        return statistics.median(anyio.run(measure))


async def _step(base, number: int) -> float:
    new = base.with_env_variable("BENCH", f"{time.time_ns()}-{number}")
    started = time.perf_counter()
    await new.with_exec(["true"]).sync()
    return time.perf_counter() - started


def process() -> float:
    """Median seconds of `true` as a plain process."""
    took = []
    for _ in range(STEPS):
        started = time.perf_counter()
        subprocess.run(["true"], check=True)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


if __name__ == "__main__":
    print(f"{embedded() * 1000:.1f} ms embedded, {process() * 1000:.1f} ms as a process", file=sys.stdout)
