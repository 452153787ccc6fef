"""Artifact Registry with Google's client, and the registry behind it with a plain one."""

import asyncio

import pytest
from google.cloud import artifactregistry_v1 as library

from tests.integration.infra.local import plain
from tests.integration.infra.local.conftest import PARENT
from tests.integration.infra.local.serving import Server, listen, serving

APPS = f"{PARENT}/repositories/apps"


@pytest.fixture
def artifacts(client):
    return client(library.ArtifactRegistryClient)


@pytest.fixture
def create(artifacts):
    def make(name="apps", **fields):
        repository = library.Repository(**{"format_": library.Repository.Format.DOCKER, **fields})
        return artifacts.create_repository(
            parent=PARENT, repository=repository, repository_id=name
        ).result()  # fmt: skip

    return make


@pytest.fixture
def registry(cloud):
    """A plain client of the registry, which answers in the cloud's own event loop."""
    listener = listen()
    server = Server(cloud.cloud.registry)
    serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), cloud._loop)
    with plain.Client(base_url=f"http://localhost:{listener.getsockname()[1]}", timeout=20) as http:
        yield http
    cloud.call(server.end)
    serving.result(10)
    listener.close()


@pytest.fixture
def cloud(tmp_path, fleet, front):
    """A cloud where a push needs a repository."""
    with serving(tmp_path / "state", fleet, front, strict=True) as served:
        enable = f"{served.url}/v1/projects/shipway-test/services/artifactregistry.googleapis.com:enable"
        assert plain.post(enable).status_code == 200
        yield served
