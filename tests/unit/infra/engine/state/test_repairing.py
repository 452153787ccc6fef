"""A broken state is mended: in order again, and without references to what is gone."""

import pytest

from infra.engine.state import integrity
from infra.engine.state.errors import StateError
from infra.engine.state.repairing import repair

A, B, C = (f"urn:pulumi:dev::shop::t:t:T::{name}" for name in "abc")


def resource(urn, **fields):
    return {"urn": urn, "type": "t:t:T", "custom": False} | fields


def test_resources_come_after_what_they_refer_to():
    deployment = {"resources": [resource(A, dependencies=[C]), resource(B), resource(C)]}
    told = str(repair(deployment))
    assert [each["urn"] for each in deployment["resources"]] == [B, C, A]
    assert integrity.fault(deployment) is None
    assert f"* {A}" in told


def test_references_to_what_is_gone_are_dropped():
    deployment = {
        "resources": [
            resource(A, dependencies=[B], propertyDependencies={"x": [B]}, deletedWith=B, replaceWith=[B])
        ]
    }
    told = repair(deployment).pruned
    assert [kind for kind, _ in told[0].removed] == [
        "dependency",
        "property dependency: x",
        "deleted with",
        "replace with",
    ]
    assert integrity.fault(deployment) is None


def test_a_child_of_a_parent_that_is_gone_is_renamed_and_so_are_references_to_it():
    child = "urn:pulumi:dev::shop::p:p:P$t:t:T::child"
    deployment = {"resources": [resource(child, parent=B), resource(C, dependencies=[child])]}
    repair(deployment)
    orphan = "urn:pulumi:dev::shop::t:t:T::child"
    assert deployment["resources"][0]["urn"] == orphan
    assert deployment["resources"][1]["dependencies"] == [orphan]
    assert integrity.fault(deployment) is None


def test_a_circle_is_for_a_person_to_break():
    deployment = {"resources": [resource(A, dependencies=[B]), resource(B, dependencies=[A])]}
    with pytest.raises(StateError, match=r"in a circle: .*::a"):
        repair(deployment)
