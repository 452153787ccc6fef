"""Cloud Monitoring with Google's plain client, over metrics whose clock a test moves."""

import asyncio
import time

import googleapiclient.discovery
import pytest
from google.auth.credentials import AnonymousCredentials

from infra.local.control.logging.times import rfc3339
from infra.local.traffic.metrics import Metrics
from tests.integration.infra.local.serving import serving

PROJECT = "projects/shipway-test"
REVISION = f"{PROJECT}/locations/europe-west1/services/hello/revisions/hello-00001-abc"
OTHER = f"{PROJECT}/locations/europe-west1/services/hello/revisions/hello-00002-def"


class Clock:
    """A clock that a test moves; it begins with the minute that is now."""

    def __init__(self):
        self.now = time.time() // 60 * 60

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metrics(clock):
    return Metrics(lambda: {REVISION: (2, 1), OTHER: (1, 0)}, clock=clock)


@pytest.fixture
def cloud(tmp_path, fleet, front, metrics, clock):
    with serving(tmp_path / "state", fleet, front, metrics=metrics) as served:
        served.cloud.monitoring._watch._clock = clock
        yield served


@pytest.fixture
def api(cloud):
    with googleapiclient.discovery.build(
        "monitoring",
        "v3",
        static_discovery=True,
        client_options={"api_endpoint": cloud.url},
        credentials=AnonymousCredentials(),
    ) as made:
        yield made.projects()


@pytest.fixture
def traffic(cloud, metrics, clock):
    """Requests in the minute before the clock's: their revision, code, number and seconds."""

    def serve(revision=REVISION, status=200, count=60, seconds=0.02):
        def observe():
            now, clock.now = clock.now, clock.now - 30
            for _ in range(count):
                metrics.observe(revision, status, seconds)
            clock.now = now

        cloud.call(observe)

    return serve


@pytest.fixture
def evaluate(cloud):
    def run():
        asyncio.run_coroutine_threadsafe(cloud.cloud.monitoring.evaluate(), cloud._loop).result(20)
        return list(cloud.cloud.monitoring.incidents())

    return run


def text(seconds):
    return rfc3339(int(seconds * 1_000_000) * 1000)
