"""A disk that is full, requests that are too large: the cloud says so, loses nothing and serves on."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.integration.infra.local import plain
from tests.integration.infra.local.whole.conftest import PARENT, ROOT, Whole, command, service


def create(cloud, name, wanted):
    request = run_v2.CreateServiceRequest(parent=PARENT, service_id=name, service=wanted)
    return cloud.clients().services.create_service(request).result(timeout=60)


class OnSmallDisk(Whole):
    """A cloud whose folder is a file system of 160 MB, seen by it alone."""

    def again(self):
        mount = f'mount -t tmpfs -o size=160m none "{self.state}" && exec "$@"'
        alone = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        self.process = subprocess.Popen(
            [*alone, "sh", "-c", mount, "sh", *command("up", "--state", str(self.state), "--json")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.addresses = json.loads(self.process.stdout.readline())

    @property
    def disk(self):
        return Path(f"/proc/{self.process.pid}/root{self.state}")

    def fill(self):
        with (self.disk / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass


pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path):
    cloud = OnSmallDisk(tmp_path)
    yield cloud
    cloud.stop()


def test_with_a_full_disk_services_go_on_and_changes_are_refused_until_there_is_room(small, push):
    image = push(small)
    made = create(small, "steady", service(image))
    small.fill()
    with pytest.raises(exceptions.ServiceUnavailable, match=r"disk.*full"):
        create(small, "another", service(image))
    for _ in range(20):
        assert small.get(made.uri).text == "hello\n"
    assert [each.name for each in small.clients().services.list_services(parent=PARENT)] == [made.name]
    (small.disk / "filler").unlink()
    assert small.get(create(small, "another", service(image)).uri).text == "hello\n"


def test_a_body_of_ten_megabytes_is_refused_by_its_size_and_nothing_is_changed(cloud):
    body = {"template": {"containers": [{"image": "x", "args": ["a" * (10 << 20)]}]}}
    where = f"{cloud.addresses['endpoint']}/v2/{PARENT}/services?serviceId=large"
    refused = plain.post(where, json=body, timeout=60)
    assert refused.status_code == 400
    assert refused.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert "Request payload size exceeds the limit: 10485760 bytes." in refused.json()["error"]["message"]
    assert plain.get(where.partition("?")[0]).json() == {}
