"""A local cloud for a test, and Google's own clients of it."""

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

PARENT = "projects/shipway-test/locations/europe-west1"


@pytest.fixture
def fleet():
    return MemoryFleet()


@pytest.fixture
def front():
    return MemoryFront()


@pytest.fixture
def cloud(tmp_path, fleet, front):
    with serving(tmp_path / "state", fleet, front) as served:
        yield served


@pytest.fixture
def client(cloud):
    """Makes a client of Google's, unmodified but for where it goes and who it says it is."""

    def make(cls):
        return cls(
            transport="rest",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=cloud.url),
        )

    return make
