"""Properties and their differences as text."""

import pytest

from infra.engine.display.objects import Printer, is_same, primitive


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<null>"),
        (True, "true"),
        (3.0, "3"),
        (2.5, "2.5"),
        (1e20, "100000000000000000000"),
        ("é\n", '"é\\n"'),
        ("[secret]", "[secret]"),
        ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", "[unknown]"),
        ({}, "{}"),
    ],
)
def test_values(value, text):
    assert primitive(value) == text


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [(1, 1.0, True), (1, True, False), ({"a": None}, {}, True), ([1], [1, None], False), ("", None, False)],
)
def test_what_is_the_same(old, new, same):
    assert is_same(old, new) is same


def test_adds_deletes_and_changes_of_kind():
    old = {"gone": [1], "kind": "text", "list": [1, 2], "same": "x"}
    new = {"fresh": {"a": 1}, "kind": [1], "list": [1, 3, 4], "same": "x"}
    assert (
        Printer(1, "update").difference(old, new)
        == """\
  + fresh: {
      + a: 1
    }
  - gone : [
  -     [0]: 1
    ]
  - kind : "text"
  + kind : [
  +     [0]: 1
    ]
  ~ list : [
        [0]: 1
      ~ [1]: 2 => 3
      + [2]: 4
    ]
    same : "x"
"""
    )


def test_a_summary_leaves_out_what_stays():
    assert (
        Printer(1, "update", summary=True).difference({"a": 1, "b": 1}, {"a": 1, "b": 2}) == "  ~ b: 1 => 2\n"
    )


def test_colours_are_those_of_the_operation():
    text = Printer(1, "create", color=True).difference({}, {"a": 1})
    assert "\x1b[38;5;2m" in text


def test_the_mark_of_a_resource_in_a_preview_is_neither_shown_nor_a_change():
    old, new = {"pet": {"id": "1"}}, {"pet": {"id": "1", "@isPulumiResource": True}}
    assert Printer(1, summary=True).difference(old, new) == ""
    assert "@" not in Printer(1).object(new)
