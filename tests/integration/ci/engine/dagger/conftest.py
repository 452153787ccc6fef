"""The real SDK, connected to one session of the embedded engine."""

import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dagger
import pytest

from ci.engine.connection import Connection


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all tests: the SDK's connection lives in it."""
    return "asyncio"


@pytest.fixture(scope="session")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's working directory."""
    return tmp_path_factory.mktemp("workdir")


@pytest.fixture(scope="session")
def session(workdir: Path) -> Iterator[Connection]:
    """A session of the engine, as `dagger session` starts one."""
    command = [
        str(Path(sys.executable).with_name("dagger")),
        "session",
        "--embedded",
        "--workdir",
        str(workdir),
    ]
    environ = {**os.environ, "ENGINE_TEST_SECRET": "from-the-environment"}
    if state := os.environ.get("SHIPWAY_TEST_STATE"):  # else the user's, which has the base image already
        environ["SHIPWAY_STATE"] = state
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Connection.from_line(process.stdout.readline())
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture(scope="session")
async def dag(session: Connection, anyio_backend: str) -> AsyncIterator[dagger.Client]:
    """The SDK's client."""
    own = {"DAGGER_SESSION_PORT": str(session.port), "DAGGER_SESSION_TOKEN": session.token}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in own.items():
            environment.setenv(name, value)
        connection = dagger.connection()
        await connection.__aenter__()
    # From here on the variables are gone: whatever else a test starts must have a session of its own.
    yield dagger.dag
    await connection.__aexit__(None, None, None)


@pytest.fixture(scope="session")
def base(dag: dagger.Client) -> dagger.Container:
    """A container whose steps no earlier run has cached."""
    return dag.container().from_("python:3.11-slim").with_env_variable("TEST_RUN", uuid.uuid4().hex)
