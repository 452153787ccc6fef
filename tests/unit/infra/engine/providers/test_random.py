"""Random values have the form that was asked for."""

import base64
import string
import uuid

import pytest

from infra.engine.providers.contract import ProviderError, Target
from infra.engine.providers.random import provider
from infra.engine.values import UNKNOWN, Secret


def target(kind):
    return Target("urn:pulumi:dev::shop::x::r", f"random:index/random{kind}:Random{kind}", "r")


async def make(kind, preview=False, **inputs):
    return await provider().create(target(kind), inputs, preview)


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_an_id_says_the_same_in_every_notation():
    made = (await make("Id", byteLength=8, prefix="p-")).outputs
    raw = bytes.fromhex(made["hex"].removeprefix("p-"))
    assert int(made["dec"].removeprefix("p-")) == int.from_bytes(raw)
    assert base64.b64decode(made["b64Std"].removeprefix("p-")) == raw


async def test_a_string_has_the_characters_asked_for():
    made = (await make("String", length=40, special=False, upper=False, minNumeric=30)).outputs["result"]
    assert len(made) == 40
    assert set(made) <= set(string.ascii_lowercase + string.digits)
    assert sum(character.isdigit() for character in made) >= 30


async def test_a_password_is_secret_and_so_is_its_hash():
    outputs = (await make("Password", length=12)).outputs
    assert isinstance(outputs["result"], Secret)
    assert isinstance(outputs["bcryptHash"], Secret)


async def test_a_seed_makes_the_same_choice_again():
    one = await make("Shuffle", inputs=["a", "b", "c", "d"], seed="s", resultCount=6)
    two = await make("Shuffle", inputs=["a", "b", "c", "d"], seed="s", resultCount=6)
    assert one.outputs["results"] == two.outputs["results"]
    assert len(one.outputs["results"]) == 6
    assert 1 <= (await make("Integer", min=1, max=3)).outputs["result"] <= 3


@pytest.mark.parametrize(("kind", "version"), [("Uuid", 4), ("Uuid4", 4), ("Uuid7", 7)])
async def test_uuids_are_of_their_version(kind, version):
    assert uuid.UUID((await make(kind)).id).version == version


async def test_a_pet_has_as_many_words_as_asked_and_its_name_is_its_id():
    assert len((await make("Pet", length=3)).id.split("-")) == 3
    assert (await make("Pet", prefix="my", separator="_")).id.startswith("my_")


async def test_a_preview_promises_values():
    made = await make("Password", preview=True, length=8)
    assert made.id == ""
    assert made.outputs["result"] == Secret(UNKNOWN)


@pytest.mark.parametrize(
    ("kind", "inputs", "message"),
    [
        ("Integer", {"min": 3, "max": 1}, "smaller than or equal to maximum"),
        ("String", {"length": 2, "minUpper": 3}, "sum of the minimums"),
        ("Nothing", {}, "random has no resource"),
    ],
)
async def test_what_cannot_be_made_is_told(kind, inputs, message):
    with pytest.raises(ProviderError, match=message):
        await make(kind, **inputs)


async def test_a_missing_input_is_named():
    checked = await provider().check(target("Id"), {}, {}, b"")
    assert "byteLength" in checked.failures[0].reason
