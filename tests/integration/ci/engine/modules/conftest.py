"""A session of the engine in a repository with two modules, asked by GraphQL."""

import base64
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ci.engine.connection import Connection

EXAMPLES = Path(__file__).with_name("examples")


class Session:
    """A running session; what it shows people is in ``log``."""

    def __init__(self, connection: Connection, log: Path) -> None:
        self._connection = connection
        self.log = log

    def ask(self, query: str) -> dict:
        """Ask a query; returns the answer's document."""
        client = http.client.HTTPConnection("127.0.0.1", self._connection.port, timeout=120)
        token = base64.b64encode(f"{self._connection.token}:".encode()).decode()
        try:
            client.request(
                "POST", "/query", json.dumps({"query": query}), {"authorization": f"Basic {token}"}
            )
            answer: dict = json.loads(client.getresponse().read())
        finally:
            client.close()
        return answer

    def data(self, query: str) -> dict:
        """Ask a query that goes well; returns its data."""
        answer = self.ask(query)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def message(self, query: str) -> str:
        """Ask a query that goes wrong; returns the error's message."""
        return self.ask(query)["errors"][0]["message"]

    def serve(self, module: str) -> None:
        """Have a module's functions in the schema."""
        self.data(f'{{moduleSource(refString: "{module}") {{asModule {{serve}}}}}}')


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the example modules."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    (folder / ".git").mkdir()
    (folder / "note.md").write_text("noted")
    return folder


@pytest.fixture(scope="session")
def start(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Session]:
    """Start a session in the repository, for a block."""

    @contextmanager
    def start() -> Iterator[Session]:
        log = tmp_path_factory.mktemp("session") / "log"
        dagger = str(Path(sys.executable).with_name("dagger"))
        command = [dagger, "--embedded", "--progress=plain", "session"]
        own = {k: v for k, v in os.environ.items() if not k.startswith(("DAGGER_", "_EXPERIMENTAL", "OTEL_"))}
        if state := os.environ.get("SHIPWAY_TEST_STATE"):  # else the user's, which has the base image already
            own["SHIPWAY_STATE"] = state
        with (
            log.open("wb") as written,
            subprocess.Popen(
                command,
                cwd=repository,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                text=True,
                env=own,
            ) as process,
        ):
            yield Session(Connection.from_line(process.stdout.readline()), log)
            process.stdin.close()
            assert process.wait(60) == 0

    return start


@pytest.fixture(scope="session")
def session(start) -> Iterator[Session]:
    """A session that has the greeter served."""
    with start() as session:
        session.serve("greeter")
        yield session
