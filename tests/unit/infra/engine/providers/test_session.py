"""A provider as the engine calls it: what it can't do itself is done for it."""

import pytest

from infra.engine.providers.contract import Created, Provider, ProviderError, Target
from infra.engine.providers.session import DiffUnavailableError, Session
from infra.engine.values import UNKNOWN, Secret

TARGET = Target("urn:pulumi:dev::shop::a:b:C::c", "a:b:C", "c")


class Plain(Provider):
    """Knows no secrets and no previews."""

    def __init__(self):
        self.given = []

    async def create(self, target, inputs, preview):  # noqa: ARG002 - the contract's
        self.given.append((inputs, preview))
        return Created("" if inputs.get("anonymous") else "id", {**inputs, "extra": 1})


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_secrets_are_unwrapped_for_a_provider_and_marked_again_in_its_answer():
    plain = Plain()
    created = await Session(plain).create(TARGET, {"a": Secret("x"), "b": 1}, preview=False)
    assert plain.given == [({"a": "x", "b": 1}, False)]
    assert created.outputs == {"a": Secret("x"), "b": 1, "extra": 1}


async def test_a_preview_is_answered_for_a_provider_that_has_none():
    plain = Plain()
    assert await Session(plain).create(TARGET, {"a": 1}, preview=True) == Created("", {"a": 1})
    assert plain.given == []


async def test_while_its_own_configuration_is_unknown_a_provider_is_not_asked():
    session = Session(Plain())
    await session.configure({"region": UNKNOWN})
    assert await session.create(TARGET, {"a": 1}, preview=True) == Created("", {})
    with pytest.raises(DiffUnavailableError, match="not known during preview"):
        await session.diff(TARGET, "id", {}, {}, {}, ())
    await session.configure({"region": "here"})
    assert (await session.create(TARGET, {"a": 1}, preview=False)).id == "id"


async def test_a_resource_without_an_id_is_refused():
    with pytest.raises(ProviderError, match=r"empty resource\.ID"):
        await Session(Plain()).create(TARGET, {"anonymous": True}, preview=False)
