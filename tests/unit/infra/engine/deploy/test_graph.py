"""Who depends on whom."""

from infra.engine.deploy.graph import Graph
from infra.engine.state.model import Resource


def resource(name, *, needs=(), custom=True, **fields):
    urn = f"urn:pulumi:dev::shop::a:b:C::{name}"
    depends = tuple(f"urn:pulumi:dev::shop::a:b:C::{each}" for each in needs)
    return Resource(urn=urn, type="a:b:C", custom=custom, id=name, dependencies=depends, **fields)


A = resource("a")
B = resource("b", needs="a")
BOX = resource("box", custom=False)
INSIDE = resource("inside", parent=BOX.urn)
C = resource("c", needs=["box"])
D = resource("d", deleted_with=B.urn)
GRAPH = Graph([A, B, BOX, INSIDE, C, D])


def ids(resources):
    return sorted(each.id for each in resources)


def test_dependents_are_found_through_others():
    assert ids(GRAPH.depending_on(A, set(), children=False)) == ["b", "d"]
    assert ids(GRAPH.depending_on(A, {B.urn}, children=False)) == []


def test_children_count_where_asked():
    assert ids(GRAPH.depending_on(BOX, set(), children=False)) == ["c"]
    assert ids(GRAPH.depending_on(BOX, set(), children=True)) == ["c", "inside"]


def test_a_component_stands_for_all_below_it():
    assert ids(GRAPH.dependencies_of(C)) == ["box", "inside"]
    assert ids(GRAPH.transitive_dependencies_of(D)) == ["a", "b"]
