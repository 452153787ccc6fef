"""The state edited by hand: nothing is left that refers to what is gone."""

import pytest

from infra.engine.state import edit
from infra.engine.state.errors import StateError

A, B = "urn:pulumi:dev::shop::t:t:T::a", "urn:pulumi:dev::shop::t:t:T::b"


def deployment(**fields):
    return {
        "resources": [{"urn": A, "type": "t:t:T"} | fields, {"urn": B, "type": "t:t:T", "dependencies": [A]}]
    }


def test_a_resource_that_others_need_stays():
    with pytest.raises(StateError, match=r"can't be safely deleted because the following.*\n \* \"b\""):
        edit.delete_resource(deployment(), A)


def test_it_goes_with_them_if_asked():
    state = deployment()
    edit.delete_resource(state, A, target_dependents=True)
    assert state["resources"] == []


def test_a_protected_one_goes_by_force_alone():
    state = deployment(protect=True)
    with pytest.raises(StateError, match=r"because it is protected. Re-run this command with --force"):
        edit.delete_resource(state, A, target_dependents=True)
    edit.delete_resource(state, A, target_dependents=True, force=True)
    assert state["resources"] == []


def test_a_renamed_resource_is_referred_to_by_its_new_name():
    state = deployment()
    target = edit.rename_resource(state, A, "c")
    assert target.endswith("::c")
    assert state["resources"][1]["dependencies"] == [target]
    with pytest.raises(StateError, match="already"):
        edit.rename_resource(state, B, "c")


def test_a_resource_that_is_not_there_is_named():
    with pytest.raises(StateError, match=r'No such resource ".*::c" exists in the current state'):
        edit.delete_resource(deployment(), A.replace("::a", "::c"))
