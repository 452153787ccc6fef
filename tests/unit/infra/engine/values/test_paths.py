"""Property paths: how they are written, and what ``ignore_changes`` does with them."""

import pytest

from infra.engine.values import Secret
from infra.engine.values.paths import contains, parse, reset, text_of


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[0]", ("a", "b", 0)),
        ('a["b.c"].d', ("a", "b.c", "d")),
        ('["quo\\"te"]', ('quo"te',)),
        ("rules[*].port", ("rules", "*", "port")),
    ],
)
def test_paths_are_read_and_written(text, path):
    assert parse(text) == path
    if "*" not in text:
        assert text_of(path) == text


@pytest.mark.parametrize("text", ["a.", "a[", 'a["b', "a[x]", "a..b"])
def test_a_malformed_path_is_refused(text):
    with pytest.raises(ValueError, match="property path"):
        parse(text)


def test_a_pattern_covers_what_lies_below_it():
    assert contains(parse("a[*].b"), parse("a[3].b.c"))
    assert not contains(parse("a.b"), parse("a"))


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("a", {"a": 1}, {"a": 2, "b": 3}, {"a": 1, "b": 3}),
        ("a", {}, {"a": 2}, {}),
        ("a", {"a": 1}, {}, {"a": 1}),
        ("a.b", {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, {"a": {"b": 1, "c": 2}}),
        ("l[1]", {"l": [1, 2]}, {"l": [5, 6]}, {"l": [5, 2]}),
        ("l[*].x", {"l": [{"x": 1}, {"x": 2}]}, {"l": [{"x": 8}, {"x": 9}]}, {"l": [{"x": 1}, {"x": 2}]}),
        ("s.a", {"s": Secret({"a": 1})}, {"s": Secret({"a": 2})}, {"s": Secret({"a": 1})}),
        ("x.y", {}, {}, {}),
    ],
)
def test_what_is_reset_is_as_it_was(path, old, new, expected):
    assert reset(old, new, parse(path)) == (expected, True)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [("l[1]", {"l": [1]}, {"l": [1, 2]}), ("a.b", {"a": {"b": 1}}, {}), ("l[*]", {"l": [1]}, {"l": [1, 2]})],
)
def test_elements_come_or_gone_cannot_be_reset(path, old, new):
    assert reset(old, new, parse(path)) == (new, False)
