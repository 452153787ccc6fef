"""When values are equal, and where they differ."""

import pytest

from infra.engine.values import UNKNOWN, Asset, Output, Secret
from infra.engine.values.compare import (
    Edit,
    bare,
    contains_secret,
    contains_unknown,
    dependencies,
    edits,
    equal,
    mark_secrets,
)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ({"a": 1, "b": None}, {"a": 1}, True),
        ([1, 2], [2, 1], False),
        (Secret("x"), Secret("x"), True),
        (Secret("x"), "x", False),
        (Asset(hash="h", path="a"), Asset(hash="h", text="b"), True),
        (Asset(hash="h", path="a"), Asset(hash="i", path="a"), False),
    ],
)
def test_equality(left, right, same):
    assert equal(left, right) is same
    assert equal(right, left) is same


def test_edits_are_told_at_the_deepest_place():
    old = {"a": {"b": [1, 2, 3], "gone": 1}, "same": 1}
    new = {"a": {"b": [1, 5]}, "same": 1, "new": 2}
    assert edits(old, new) == [
        Edit(("a", "b", 1), "update"),
        Edit(("a", "b", 2), "delete"),
        Edit(("a", "gone"), "delete"),
        Edit(("new",), "add"),
    ]


def test_a_secret_differs_as_a_whole():
    assert edits({"s": Secret({"a": 1})}, {"s": Secret({"a": 2})}) == [Edit(("s",), "update")]


def test_marks_are_found_however_deep():
    value = {"a": [{"b": Secret([UNKNOWN])}]}
    assert contains_secret(value)
    assert contains_unknown(value)
    assert not contains_secret(bare(value))
    assert dependencies({"a": [Output("x", known=True, dependencies=("u1",))]}) == {"u1"}


def test_outputs_are_secret_where_the_inputs_were():
    inputs = {"a": Secret(1), "o": {"x": Secret(1), "y": 2}, "l": [Secret(1)]}
    outputs = {"a": 1, "o": {"x": 1, "y": 2}, "l": [1], "other": 5}
    assert mark_secrets(outputs, inputs) == {
        "a": Secret(1),
        "o": {"x": Secret(1), "y": 2},
        "l": Secret([1]),
        "other": 5,
    }
