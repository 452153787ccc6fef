"""The list of resources while it changes: by identity, in the checkpoint's order."""

from dataclasses import replace

from infra.engine.deploy.contract import Change
from infra.engine.deploy.steps.ledger import Ledger
from infra.engine.state.model import Resource


def resource(name, **fields):
    return Resource(urn=f"urn:pulumi:dev::shop::a:b:C::{name}", type="a:b:C", custom=True, id=name, **fields)


def names(ledger):
    return [each.id for each in ledger.resources()]


def test_what_an_update_has_been_through_comes_before_what_it_has_not():
    old_a, old_b = resource("a"), resource("b")
    ledger = Ledger([old_a, old_b])
    ledger.apply(Change(removes=(old_b,), appends=(replace(old_b, id="b2"),)))
    ledger.apply(Change(appends=(resource("c"),)))
    assert names(ledger) == ["b2", "c", "a"]


def test_two_versions_of_a_resource_are_told_apart():
    old = resource("a")
    new = replace(old, id="a2")
    ledger = Ledger([old])
    condemned = replace(old, delete=True)
    ledger.apply(Change(appends=(new,), replaces=((old, condemned),)))
    assert names(ledger) == ["a2", "a"]
    assert ledger.latest(old) is condemned
    assert ledger.new(old.urn) is new
    ledger.apply(Change(removes=(ledger.latest(old),)))
    assert names(ledger) == ["a2"]


def test_an_old_resource_is_found_by_name_whatever_became_of_it():
    old = resource("a")
    ledger = Ledger([old, resource("gone", delete=True)])
    ledger.apply(Change(removes=(old,)))
    assert ledger.old(old.urn) is old
    assert ledger.old(resource("gone").urn) is None
    assert len(ledger.olds(resource("gone").urn)) == 1


def test_a_component_s_outputs_come_in_its_place():
    box, thing = resource("box"), resource("thing")
    ledger = Ledger()
    ledger.apply(Change(appends=(box,)))
    ledger.apply(Change(appends=(thing,)))
    ledger.apply(Change(replaces=((box, replace(box, outputs={"x": 1})),)))
    assert [(each.id, each.outputs) for each in ledger.resources()] == [("box", {"x": 1}), ("thing", {})]
