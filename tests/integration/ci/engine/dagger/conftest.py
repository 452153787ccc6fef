"""The real SDK, connected to one session of the embedded engine."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dagger
import pytest

from tests import sessions
from tests.sessions import Session, client, environment


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all tests: the SDK's connection lives in it."""
    return "asyncio"


@pytest.fixture(scope="session")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's working directory."""
    return tmp_path_factory.mktemp("workdir")


@pytest.fixture(scope="session")
def session(workdir: Path) -> Iterator[Session]:
    """A session of the engine, as `dagger session` starts one."""
    own = environment(ENGINE_TEST_SECRET="from-the-environment")
    with sessions.session(workdir, own) as session:
        yield session


@pytest.fixture(scope="session")
async def dag(session: Session, anyio_backend: str) -> AsyncIterator[dagger.Client]:
    """The SDK's client."""
    async with client(session.connection) as dag:
        yield dag


@pytest.fixture(scope="session")
def base(dag: dagger.Client) -> dagger.Container:
    """A container whose steps no earlier run has cached."""
    return dag.container().from_("python:3.11-slim").with_env_variable("TEST_RUN", uuid.uuid4().hex)
