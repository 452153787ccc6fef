"""Differences: the provider's word, or the engine's own comparison."""

import pytest

from infra.engine.deploy.planning import differ
from infra.engine.providers.contract import Diff, Difference, PropertyDifference, Provider, Target
from infra.engine.state.model import Resource
from infra.engine.values import UNKNOWN, Secret

TARGET = Target("urn:pulumi:dev::shop::a:b:C::c", "a:b:C", "c")
OLD = Resource(urn=TARGET.urn, type="a:b:C", custom=True, id="x", inputs={"a": Secret({"b": 1}), "same": 2})


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_a_provider_that_does_not_know_has_inputs_compared_secrets_aside():
    found = await differ.diff(Provider(), TARGET, OLD, {"a": {"b": 2}, "same": 2}, ())
    assert found.changes
    assert found.changed == ("a",)
    assert found.detailed == {"a.b": PropertyDifference(Difference.UPDATE)}
    unchanged = await differ.diff(Provider(), TARGET, OLD, {"a": {"b": 1}, "same": 2}, ())
    assert unchanged.changes is False


def test_changes_at_named_places_take_a_replacement():
    found = Diff(changes=True, changed=("a", "b"), detailed={"a.b": PropertyDifference(Difference.ADD)})
    forced = differ.replace_on_changes(found, ["a"], init_errors=False)
    assert forced.replaces == ("a",)
    assert forced.detailed["a.b"].kind is Difference.ADD_REPLACE
    assert differ.takes_replacement(forced)
    assert not differ.takes_replacement(differ.replace_on_changes(found, ["c"], init_errors=False))


def test_a_resource_that_did_not_come_up_can_be_replaced_for_that():
    found = differ.replace_on_changes(Diff(changes=False), ["#initerror"], init_errors=True)
    assert found.changes
    assert found.replaces == ("#initerror",)


def test_a_trigger_replaces_when_its_value_changes_and_not_when_it_is_new():
    assert differ.triggered("b", Secret("a"))
    assert differ.triggered(UNKNOWN, "a")
    assert not differ.triggered("a", "a")
    assert not differ.triggered("a", None)


def test_a_refresh_sees_the_difference_from_the_other_side():
    found = Diff(changes=True, detailed={"a": PropertyDifference(Difference.ADD_REPLACE)})
    assert differ.inverted(found).detailed["a"].kind is Difference.DELETE_REPLACE


def test_what_cannot_be_ignored_is_told():
    inputs, impossible = differ.ignore_changes({"l": [1, 2]}, {"l": [1]}, ["l[1]", "none", "!["])
    assert inputs == {"l": [1, 2]}
    assert impossible == ["l[1]"]
