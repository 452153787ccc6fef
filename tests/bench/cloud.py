"""What the local cloud costs, beside the same thing without it in the same run."""

import asyncio
import http.client
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from socket import create_server

from infra.local.runtime.contract import Target
from infra.local.runtime.scaling import Scaling
from tests.bench import traffic
from tests.bench.page import Part, Row
from tests.bench.traffic import ask, connect
from tests.integration.infra.local import crowd
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.runtime.image import FAST, interpreter, write_image
from tests.integration.infra.local.runtime.staged import Staged
from tests.integration.infra.local.serving import serving
from tests.integration.infra.local.traffic.load import Load

PART = Part(
    "The cloud on this machine",
    "Plain is the same server as a process of its own, without sandbox and proxy. Medians.",
    ("cloud", "plain"),
)
READY = "/readyz"
COMMAND = ("python", "-S", "/srv/fast.py")
REQUESTS = 20_000
MOVES = (0, 10, 50, 100, 0)


def measure(below: Path, archive: Path) -> list[Row]:
    """Measure everything in folders below ``below``, with the service's image in ``archive``."""
    rows = []

    def add(*texts: str) -> None:
        rows.append(Row(*texts))
        print(": ".join((texts[0], ", ".join(texts[2:]))), file=sys.stderr)

    image = write_image(below)
    with staged(below / "cloud", image, Scaling(idle=0.3)) as stage:
        plain, deploy = deploys(stage, below / "cloud", f"oci-archive:{archive}", 5)
        what = "the service's image deployed, to its first 200"
        add(what, "under 1.5 s more", f"{deploy:.2f} s", f"{plain:.2f} s", f"{deploy - plain:+.2f} s")
        plain, cold = starts(stage, 9)
        added = f"{(cold - plain) * 1000:+.0f} ms"
        what = "a tiny server started from zero by a request"
        add(what, "under 150 ms more", f"{cold * 1000:.0f} ms", f"{plain * 1000:.0f} ms", added)
    with staged(below / "cloud", image) as stage, plain_process() as beside:
        stage.deploy("web", "web-1", command=COMMAND)
        p99 = traffic.latency(beside, stage.port)
        added = f"{p99.through - p99.direct:+.2f} ms; {p99.note}"
        what = f"p99 at {traffic.RATE} requests/s"
        add(what, "under 5 ms more", f"{p99.through:.2f} ms", f"{p99.direct:.2f} ms", added)
        rate = traffic.throughput(beside, stage.port)
        what = "requests/s with keep-alive"
        add(what, "at least 2000", f"{rate.through:.0f}", f"{rate.direct:.0f}", rate.note)
        failed, seconds = moved(stage)
        what = f"traffic moved {' → '.join(map(str, MOVES))} % under {REQUESTS} requests"
        add(what, "none failed", f"{failed} failed", "", f"in {seconds:.1f} s over 16 connections")
    services, revisions = listings(below / "listed")
    what = "100 services with 3 revisions each, listed"
    add(what, "under 50 ms", f"{services * 1000:.0f} ms", "", f"their revisions: {revisions * 1000:.0f} ms")
    return rows


@contextmanager
def staged(state, image, scaling=None):
    """A fleet and a front proxy in a process of their own."""
    stage = Staged(state, image, scaling)
    try:
        yield stage
    finally:
        stage.close()


@contextmanager
def plain_process():
    """The tiny server without a sandbox; its port, once it has answered."""
    port = free_port()
    with subprocess.Popen([interpreter(), "-S", FAST], env={"PORT": str(port)}) as process:
        try:
            first_answer(port)
            yield port
        finally:
            process.kill()


def first_answer(port):
    """Ask the tiny server until it answers."""
    while True:
        try:
            with connect(port) as connection:
                return ask(connection)
        except ConnectionRefusedError:
            time.sleep(0.001)


def first_200(port, host, path):
    """Ask until the answer is 200; other answers, and a port that is closed, mean that it is not up yet."""
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request("GET", path, headers={"Host": host})
                answer = connection.getresponse()
                answer.read()
        except (ConnectionError, http.client.HTTPException):
            answer = None
        if answer is not None and answer.status == 200:
            return
        time.sleep(0.005)


def free_port():
    """A port that nobody listens at."""
    with closing(create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


def deploys(stage, state, image, rounds):
    """Seconds until the service's first 200: of a plain process, and of a deploy."""
    process, deploy = [], []
    for number in range(-1, rounds):  # the first one unpacks the image, and warms what is read from disk
        began = time.perf_counter()
        spec = stage.spec("app", f"app-{number + 1}", image=image, memory=2 << 30)
        stage.tell("deploy", spec)
        stage.tell("route", "app.localhost", (Target(spec.key, 100),))
        first_200(stage.port, "app.localhost", READY)
        deploy.append(time.perf_counter() - began)
        stage.tell("retire", spec.key)
        model = next(state.glob("layers/*/srv/model"))
        port = free_port()
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "app.serving", "--host", "127.0.0.1", "--model", model],
            env={**os.environ, "PORT": str(port)},
            stdout=subprocess.DEVNULL,
        ) as beside:
            first_200(port, "127.0.0.1", READY)
            process.append(time.perf_counter() - began)
            beside.terminate()
    return [statistics.median(each[1:]) for each in (process, deploy)]


def starts(stage, rounds):
    """Seconds until the tiny server's first answer: of a process, and from zero."""
    process, cold = [], []
    spec = stage.deploy("web", "web-0", command=COMMAND)
    for _ in range(rounds):
        began = time.perf_counter()
        with plain_process():
            process.append(time.perf_counter() - began)
        while stage.tell("instances", spec.key):
            time.sleep(0.05)
        with connect(stage.port) as connection:
            began = time.perf_counter()
            ask(connection)
            cold.append(time.perf_counter() - began)
    return [statistics.median(each) for each in (process, cold)]


def moved(stage):
    """How many requests failed while the split between two revisions moved, and seconds it took."""
    one, two = (stage.spec("web", f"web-{number}", command=COMMAND) for number in (1, 2))
    stage.tell("deploy", two)

    async def under_load():
        async with Load(stage.port, REQUESTS, connections=16) as load:
            for number, percent in enumerate(MOVES, 1):
                targets = (Target(one.key, 100 - percent), Target(two.key, percent))
                await asyncio.wrap_future(stage.begin("route", "web.localhost", targets))
                await load.until(REQUESTS * number // len(MOVES))
        return len(load.failed)

    began = time.perf_counter()
    return asyncio.run(under_load()), time.perf_counter() - began


def listings(state):
    """Seconds that the lists of 100 services and of their 300 revisions take."""
    with serving(state, MemoryFleet(), MemoryFront()) as served:
        crowd.gather(served.url)
        return [
            statistics.median(crowd.listed(served.url, what) for _ in range(9))
            for what in ("services", "services/-/revisions")
        ]
