"""Commands about modules in a repository that has one, all against one session."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci.engine.cli import main
from ci.engine.connection import Connection

EXAMPLES = Path(__file__).with_name("examples")


@dataclass(frozen=True)
class Done:
    """How a command went."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the module `toolbox`."""
    folder = tmp_path_factory.mktemp("commands").resolve()
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    (folder / ".git").mkdir()
    (folder / "note.txt").write_text("noted")
    return folder


@pytest.fixture(scope="session")
def connection(repository: Path) -> Iterator[Connection]:
    """A session in the repository."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DAGGER_", "_EXPERIMENTAL", "OTEL_"))}
    own["TOKEN_OF_TEST"] = "12345"  # not one
    if state := os.environ.get("SHIPWAY_TEST_STATE"):  # else the user's, which has the base image already
        own["SHIPWAY_STATE"] = state
    command = [sys.executable, "-m", "ci.engine.cli", "session", "--embedded", "--quiet-start"]
    with subprocess.Popen(
        [*command, "--progress", "plain", "--workdir", str(repository)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=own,
    ) as process:
        yield Connection.from_line(process.stdout.readline())
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture
def alone(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Run `dagger` with some arguments, in the repository, with a session of its own."""
    monkeypatch.chdir(repository)
    monkeypatch.setenv("SHIPWAY_DAGGER", "embedded")
    for name in ("DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "DAGGER_MODULE"):
        monkeypatch.delenv(name, raising=False)
    if state := os.environ.get("SHIPWAY_TEST_STATE"):
        monkeypatch.setenv("SHIPWAY_STATE", state)

    def run(*arguments: str) -> Done:
        code = main(list(arguments))
        written = capfd.readouterr()
        return Done(code, written.out, written.err)

    return run


@pytest.fixture
def dagger(
    alone: Callable[..., Done], connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Run `dagger` with some arguments, in the repository and the session that is there."""
    for name, value in connection.variables().items():
        monkeypatch.setenv(name, value)
    return alone
