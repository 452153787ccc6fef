"""A Docker daemon of the tests' own, and a session of the engine that finds it."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagger
import pytest

from tests import sessions
from tests.sessions import Session, client, environment

#: What lets a daemon run beside another one, and without rights over the host's network.
_OPTIONS = (
    "--storage-driver=vfs",
    "--iptables=false",
    "--bridge=none",
    "--ip-masq=false",
    "--ip-forward=false",
    "--containerd-namespace=shipway-tests",
    "--containerd-plugins-namespace=shipway-tests-plugins",
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for all tests of a module: the SDK's connection lives in it."""
    return "asyncio"


@pytest.fixture(scope="module")
def docker_host(tmp_path_factory) -> Iterator[str]:
    """The address of a daemon with no images."""
    if shutil.which("dockerd") is None or shutil.which("docker") is None or os.getuid() != 0:
        pytest.skip("needs Docker's daemon (Debian's docker.io) and root, which starting it takes")
    home = tmp_path_factory.mktemp("docker")
    address = f"unix://{home}/docker.sock"
    command = ["dockerd", f"--host={address}", f"--data-root={home}/data", f"--exec-root={home}/exec"]
    with (
        subprocess.Popen(
            [*command, f"--pidfile={home}/pid", *_OPTIONS],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        ThreadPoolExecutor(1) as reader,
    ):
        try:
            _wait(process)
            reader.submit(process.stdout.read)
            yield address
        finally:
            end = threading.Timer(30, process.kill)
            end.start()
            process.terminate()
            code = process.wait()
            end.cancel()
            shutil.rmtree(home / "data", ignore_errors=True)
        assert code != -signal.SIGKILL, "Docker's daemon did not end"


def _wait(process: subprocess.Popen[str]) -> None:
    """Wait until the daemon listens; one that does not within a minute is ended."""
    patience = threading.Timer(60, process.terminate)
    patience.start()
    line = ""
    for line in process.stdout:
        if "API listen on" in line:
            patience.cancel()
            return
    patience.cancel()
    pytest.skip(f"Docker's daemon does not start here: {line}")


@pytest.fixture(scope="module")
def docker(docker_host) -> Callable[..., str]:
    """Run a docker command; what it printed."""

    def run(*words: str | Path, **options) -> str:
        environ = {**os.environ, "DOCKER_HOST": docker_host, "DOCKER_BUILDKIT": "0"}
        done = subprocess.run(
            ["docker", *words], capture_output=True, text=True, env=environ, check=False, **options
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture(scope="module")
def session(docker_host, tmp_path_factory) -> Iterator[Session]:
    """A session of an engine on whose host this Docker is."""
    with sessions.session(tmp_path_factory.mktemp("work"), environment(DOCKER_HOST=docker_host)) as session:
        yield session


@pytest.fixture(scope="module")
async def dag(session, anyio_backend) -> AsyncIterator[dagger.Client]:
    """A client of that session."""
    async with client(session.connection) as dag:
        yield dag
