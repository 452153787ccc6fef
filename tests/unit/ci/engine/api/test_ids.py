"""IDs and what they tell."""

from dataclasses import dataclass

import pytest

from ci.engine.api.ids import Ids, UnknownIDError
from ci.engine.graph.secret import Secrets


@dataclass(frozen=True, slots=True)
class Value:
    text: str
    parts: tuple["Value", ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    digest: str


def test_equal_values_have_the_same_id_and_different_ones_do_not():
    ids = Ids()
    assert ids.of("T", Value("a", (Value("b"),))) == ids.of("T", Value("a", (Value("b"),)))
    distinct = {ids.of("T", v) for v in (Value("a"), Value("b"), Value("a", (Value("a"),)), Named("a"))}
    assert len(distinct) == 4
    assert ids.of("T", Value("a")) != ids.of("U", Value("a"))


def test_an_id_gives_back_the_value_and_its_type():
    ids = Ids()
    found = ids.load(ids.of("T", Value("a")))
    assert (found.type, found.value) == ("T", Value("a"))


def test_a_value_with_a_digest_is_known_by_it():
    ids = Ids()
    assert ids.of("T", Named("x")) == ids.of("T", Named("x"))


def test_an_id_of_another_session_is_unknown():
    with pytest.raises(UnknownIDError):
        Ids().load(Ids().of("T", Value("a")))


def test_the_id_of_a_secret_does_not_depend_on_its_value():
    ids, secrets = Ids(), Secrets()
    assert ids.of("Secret", secrets.set("token", b"1")) == ids.of("Secret", secrets.set("token", b"2"))


def test_a_value_that_cannot_be_told_from_others_has_no_id():
    with pytest.raises(TypeError, match="object"):
        Ids().of("T", object())
