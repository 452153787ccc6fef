"""What a session works with is opened when it is needed, once."""

from types import SimpleNamespace

import anyio
import pytest

from ci.engine import opening
from ci.engine.errors import EngineError
from ci.engine.opening import Opening


class Works:
    """Parts that tell what happens to them."""

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.carrying = SimpleNamespace(receive=self.receive)
        self.housekeeping = SimpleNamespace(run=anyio.sleep_forever)
        told.append("opened")

    async def receive(self) -> None:
        self.told.append("received")

    async def close(self) -> None:
        self.told.append("closed")


@pytest.fixture
def told() -> list[str]:
    return []


async def test_nothing_is_opened_and_closed_for_a_client_that_does_not_need_it(told):
    parts = Opening(lambda: Works(told))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parts.run)
        await parts.close()
        tasks.cancel_scope.cancel()
    assert not parts.opened
    assert told == []


async def test_all_who_wait_get_the_same_parts_after_they_took_over_what_is_elsewhere(told):
    parts = Opening(lambda: Works(told))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parts.run)
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(parts.ready)
            waiting.start_soon(parts.ready)
        assert told == ["opened", "received"]
        assert parts.now() is parts.now()
        await parts.close()
        tasks.cancel_scope.cancel()
    assert told == ["opened", "received", "closed"]


async def test_a_client_that_takes_its_time_finds_them_open(told, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    parts = Opening(lambda: Works(told), ("this_is_no_module",))
    with pytest.raises(ExceptionGroup):  # the modules for later are imported too: this one is not there
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(parts.run)
    assert parts.opened
    assert told == ["opened", "received"]


@pytest.mark.parametrize(
    ("error", "message"),
    [(EngineError("no room"), "no room"), (KeyError("x"), "the engine cannot serve its API: 'x'")],
)
async def test_why_they_cannot_be_opened_is_told_to_everybody_who_needs_them(error, message):
    def fail() -> None:
        raise error

    parts = Opening(fail)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parts.run)
        for _ in range(2):
            with pytest.raises(EngineError, match=message):
                await parts.ready()
        await parts.close()
