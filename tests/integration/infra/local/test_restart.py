"""What a killed cloud had promised, the next one does."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2

from tests.integration.infra.local import crowd
from tests.integration.infra.local.conftest import PARENT
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving
from tests.integration.infra.local.test_jobs import job
from tests.integration.infra.local.test_services import NAME, create

SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
SERVER = """
import sys, time
from pathlib import Path
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving
with serving(Path(sys.argv[1]), MemoryFleet(), MemoryFront()) as served:
    print(served.url, flush=True)
    time.sleep(60)
"""


def client(cls, url):
    return cls(
        transport="rest",
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=url),
    )


@contextlib.contextmanager
def process(state):
    """A cloud in a process of its own, killed without warning at the end."""
    child = subprocess.Popen([sys.executable, "-c", SERVER, state], stdout=subprocess.PIPE, text=True)
    try:
        yield child.stdout.readline().strip()
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def test_services_come_back_as_they_were(tmp_path):
    state = tmp_path / "state"
    with process(state) as url:
        before = create(client(run_v2.ServicesClient, url)).result(20)
    fleet, front = MemoryFleet(), MemoryFront()
    with serving(state, fleet, front) as served:
        after = client(run_v2.ServicesClient, served.url).get_service(name=NAME)
    assert after == before
    assert list(fleet.specs) == [before.latest_ready_revision]
    assert set(fleet.specs) == fleet.proven
    assert sorted(front.routes) == sorted(
        url.removeprefix("http://").partition(":")[0] for url in before.urls
    )


@pytest.mark.slow
def test_a_deploy_that_was_under_way_is_finished_by_the_next_process(tmp_path):
    state = tmp_path / "state"
    with process(state) as url:
        services = client(run_v2.ServicesClient, url)
        made = create(services).result(20)
        made.template.containers[0].image = "localhost/app/slow"
        operation = services.update_service(service=made).operation
        assert services.get_service(name=NAME).reconciling
    fleet = MemoryFleet()
    fleet.slow.set()
    with serving(state, fleet, MemoryFront()) as served:
        services = client(run_v2.ServicesClient, served.url)
        done = services.wait_operation({"name": operation.name})
        assert done.done
        assert not done.HasField("error")
        now = services.get_service(name=NAME)
    assert now.terminal_condition.state == SUCCEEDED
    assert now.latest_ready_revision == now.latest_created_revision != made.latest_ready_revision
    assert list(fleet.specs) == [now.latest_ready_revision]


@pytest.mark.slow
def test_an_execution_that_was_under_way_is_run_to_its_end(tmp_path):
    state = tmp_path / "state"
    with process(state) as url:
        jobs = client(run_v2.JobsClient, url)
        jobs.create_job(parent=PARENT, job=job(image="localhost/app/endless"), job_id="train").result(20)
        operation = jobs.run_job(name=f"{PARENT}/jobs/train").operation

    fleet = MemoryFleet()
    fleet.patient = False
    with serving(state, fleet, MemoryFront()) as served:
        jobs = client(run_v2.JobsClient, served.url)
        done = jobs.wait_operation({"name": operation.name})
        assert done.done
        assert not done.HasField("error")


@pytest.mark.slow
def test_a_hundred_services_with_three_revisions_each_are_listed_in_a_moment(tmp_path):
    with serving(tmp_path / "state", MemoryFleet(), MemoryFront()) as served:
        crowd.gather(served.url)
        services, revisions = (
            min(crowd.listed(served.url, what) for _ in range(9))
            for what in ("services", "services/-/revisions")
        )
    # 12 ms and 31 ms on two quiet cores; the rest is for busy ones.
    assert services + revisions < 0.25
