"""A registry may be a service, for one pull or push."""

import uuid

import dagger
import pytest

from tests.integration.ci.engine.dagger.conftest import (  # noqa: F401 - pytest's fixtures
    dag,
    session,
    workdir,
)

pytestmark = pytest.mark.network


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all tests: the SDK's connection lives in it."""
    return "asyncio"


async def test_a_service_is_the_registry_of_one_pull_or_push(dag, registry):  # noqa: F811
    backend = int(registry.rpartition(":")[2])
    service = dag.host().service([dagger.PortForward(backend=backend, frontend=5000)])
    said = uuid.uuid4().hex
    made = dag.container().with_new_file("/said", said)
    reference = await made.publish("images.example:5000/some/app:1", registry_service=service)
    assert reference.startswith("images.example:5000/some/app:1@sha256:")
    pulled = dag.container().from_(reference, registry_service=service)
    assert await pulled.file("/said").contents() == said
    # Without the service, the name leads nowhere.
    with pytest.raises(dagger.QueryError, match=r"images\.example:5000 cannot be reached"):
        await dag.container().from_("images.example:5000/some/app:1").sync()
