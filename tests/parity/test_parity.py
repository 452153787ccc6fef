"""The embedded engine answers as Dagger's own does, or there is an account of why not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parity import record
from tests.parity.corpus import ROOMS
from tests.parity.engines import EMBEDDED, Asker, session
from tests.parity.likeness import alike
from tests.sessions import client

CORPUS = [(room, name) for room, pipelines in ROOMS.items() for name in pipelines]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for all: the SDK's connection lives in it."""
    return "asyncio"


@pytest.fixture(scope="module")
async def asker(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Asker]:
    """The embedded engine, ready to be asked."""
    workdir: Path = tmp_path_factory.mktemp("parity")
    with session(EMBEDDED, workdir) as started:
        async with client(started.connection) as dag:
            yield Asker(dag, started.connection, workdir)


@pytest.mark.slow  # `make parity` asks them side by side
@pytest.mark.embedded
@pytest.mark.anyio
@pytest.mark.parametrize(("room", "name"), CORPUS, ids=[f"{room}: {name}" for room, name in CORPUS])
async def test_the_answer_is_the_one_on_record(asker, room, name):
    expected = record.expectations([(room, name)])[room, name]
    answered = await asker.ask(room, name)
    account = record.accounts().get(f"{room}: {name}")
    if account is None:
        assert alike(answered, expected), f"answered {answered}, expected {expected}"
    else:
        assert not alike(answered, expected), f"it no longer differs, so its account can go: {account}"


def test_every_account_is_of_a_pipeline_and_says_why():
    names = {f"{room}: {name}" for room, name in CORPUS}
    assert {name: why for name, why in record.accounts().items() if name not in names or len(why) < 10} == {}


def test_every_expectation_says_where_it_comes_from():
    for room in ROOMS:
        assert record.without_source(room) == []
