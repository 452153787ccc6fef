"""The whole local cloud as its command starts it, Google's clients, and an image pushed to its registry."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2
from google.cloud.run_v2.services.executions import transports as executions
from google.cloud.run_v2.services.jobs import transports as jobs
from google.cloud.run_v2.services.revisions import transports as revisions
from google.cloud.run_v2.services.services import transports as services

from ci.engine.images import read_archive
from ci.engine.images.reference import parse_reference
from ci.engine.images.registry.client import Registry
from ci.engine.store.blobs import Blobs
from tests.integration.infra.local import plain
from tests.integration.infra.local.runtime.image import write_image

ROOT = Path(__file__).parents[5]
PARENT = "projects/acme-staging/locations/europe-west1"


def command(*words):
    return [sys.executable, "-m", "infra.local", *words]


class Whole:
    """A cloud's process; `again()` starts it over the same folder."""

    def __init__(self, state, *words):
        self.state = state
        self.words = words
        self.again()

    def again(self):
        self.process = subprocess.Popen(
            command("up", "--state", str(self.state), "--json", *self.words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(self.process.communicate()[1])
        self.addresses = json.loads(line)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            said, errors = self.process.communicate(timeout=30)
            assert (self.process.returncode, said) == (0, ""), errors

    def clients(self):
        """Google's clients, unmodified but for the address and anonymous credentials."""
        host = self.addresses["endpoint"].removeprefix("http://")

        def made(client, transport):
            return client(
                transport=transport(host=host, url_scheme="http", credentials=AnonymousCredentials())
            )

        return SimpleNamespace(
            services=made(run_v2.ServicesClient, services.ServicesRestTransport),
            revisions=made(run_v2.RevisionsClient, revisions.RevisionsRestTransport),
            jobs=made(run_v2.JobsClient, jobs.JobsRestTransport),
            executions=made(run_v2.ExecutionsClient, executions.ExecutionsRestTransport),
        )

    def get(self, url, path="/", **how):
        """Ask a service by its URL, whether or not this machine's resolver knows the name."""
        parts = httpx.URL(url)
        headers = {"Host": f"{parts.host}:{parts.port}", **how.pop("headers", {})}
        return plain.request(
            how.pop("method", "GET"),
            f"http://127.0.0.1:{parts.port}{path}",
            headers=headers,
            timeout=30,
            **how,
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    made = Whole(tmp_path_factory.mktemp("cloud"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def clients(cloud):
    return cloud.clients()


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    return Path(write_image(tmp_path_factory.mktemp("image")).removeprefix("oci-archive:"))


def pusher(archive, folder):
    """Pushes an image to a cloud's registry; answers its reference by digest."""
    blobs = Blobs(folder)
    image = read_archive(archive, blobs)

    def to(cloud, project="acme-staging", name="tiny", repository="apps"):
        where = f"{cloud.addresses['registry']}/{project}/{repository}/{name}"
        reference = parse_reference(f"{where}:latest")
        # In a thread of its own: the browser's client has an event loop in this one.
        with ThreadPoolExecutor(1) as aside:
            digest = aside.submit(anyio.run, Registry(blobs).push, image, reference).result()
        return f"{where}@{digest}"

    return to


@pytest.fixture(scope="module")
def push(archive, tmp_path_factory):
    return pusher(archive, tmp_path_factory.mktemp("blobs"))


@pytest.fixture(scope="module")
def image(cloud, push):
    return push(cloud)


def service(image, *, env=None, **template):
    variables = [run_v2.EnvVar(name=name, value=value) for name, value in (env or {}).items()]
    container = run_v2.Container(image=image, env=variables, **template.pop("container", {}))
    return run_v2.Service(template=run_v2.RevisionTemplate(containers=[container], **template))
