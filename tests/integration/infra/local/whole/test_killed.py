"""The cloud is killed at bad moments: after the next start everything is there, and true."""

import contextlib
import threading
from datetime import timedelta

import httpx
import pytest
from google.cloud import run_v2

from tests.integration.infra.local.whole.conftest import PARENT, Whole, service


@pytest.fixture
def cloud(tmp_path):
    made = Whole(tmp_path / "state")
    yield made
    made.stop()


@pytest.fixture
def image(cloud, push):
    return push(cloud)


def create(cloud, name, wanted):
    request = run_v2.CreateServiceRequest(parent=PARENT, service_id=name, service=wanted)
    return cloud.clients().services.create_service(request)


def test_services_come_back_at_their_urls_after_a_kill(cloud, image):
    made = create(cloud, "steady", service(image)).result(timeout=60)
    layers = {each.name for each in (cloud.state / "layers").iterdir()}
    (cloud.state / "layers/of-an-image-that-nothing-uses").mkdir()
    cloud.kill()
    cloud.again()
    assert {each.name for each in (cloud.state / "layers").iterdir()} == layers
    assert cloud.get(made.uri).text == "hello\n"
    assert cloud.clients().services.get_service(name=made.name).uri == made.uri


@pytest.mark.slow
def test_a_deploy_that_was_under_way_is_finished_after_the_next_start(cloud, image):
    made = create(cloud, "steady", service(image)).result(timeout=60)
    wanted = service(image, env={"START_DELAY": "1", "VERSION": "2"})
    wanted.name = made.name
    operation = cloud.clients().services.update_service(service=wanted).operation
    cloud.kill()
    cloud.again()
    done = cloud.clients().services.wait_operation({"name": operation.name, "timeout": timedelta(seconds=30)})
    assert done.done
    now = cloud.clients().services.get_service(name=made.name)
    assert now.latest_ready_revision == now.latest_created_revision != made.latest_ready_revision
    assert cloud.get(made.uri, "/env").json()["VERSION"] == "2"


@pytest.mark.slow
def test_a_kill_during_traffic_breaks_what_is_in_flight_and_nothing_else(cloud, image):
    made = create(cloud, "busy", service(image)).result(timeout=60)
    before = cloud.get(made.uri, "/env").json()["K_REVISION"]
    answers, enough = [], threading.Event()

    def ask():
        with contextlib.suppress(httpx.HTTPError):
            while True:
                answers.append(cloud.get(made.uri, "/sleep?0.01").status_code)
                if len(answers) > 50:
                    enough.set()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(30)
    cloud.kill()
    for thread in threads:
        thread.join(30)
    assert set(answers) == {200}
    cloud.again()
    assert cloud.get(made.uri, "/env").json()["K_REVISION"] == before
