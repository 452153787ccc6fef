"""Commands about modules in a repository that has one, all against one session."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci.engine.cli import main
from ci.engine.connection import Connection
from tests.sessions import environment, session

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
    own = environment(TOKEN_OF_TEST="12345")  # not one
    with session(repository, own, "--quiet-start", "--progress", "plain") as started:
        yield started.connection


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
