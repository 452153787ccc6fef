"""A session of the engine in a repository with two modules, asked by GraphQL."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests import sessions

EXAMPLES = Path(__file__).with_name("examples")


class Session:
    """A running session, and what tests of modules ask it."""

    def __init__(self, session: sessions.Session) -> None:
        self.ask = session.ask
        self.said = session.said

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
def start(repository: Path) -> Callable[[], AbstractContextManager[Session]]:
    """Start a session in the repository, for a block."""

    @contextmanager
    def start() -> Iterator[Session]:
        with sessions.session(repository, sessions.environment(), "--progress=plain") as session:
            yield Session(session)

    return start


@pytest.fixture(scope="session")
def session(start) -> Iterator[Session]:
    """A session that has the greeter served."""
    with start() as session:
        session.serve("greeter")
        yield session
