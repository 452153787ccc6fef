"""How results are printed."""

import base64
import re

import pytest

from ci.engine.commands.calls import results
from ci.engine.commands.calls.definitions import Type


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("text", "text"),
        (3, "3"),
        (1.5, "1.5"),
        (2.0, "2"),
        (True, "true"),
        (None, "<nil>"),
        (["a", "b"], "a\nb\n"),
        ([1.0, 2.5], "1\n2.5\n"),
        ([{"name": "p"}, {"name": "q"}], "p\nq\n"),
        ([], ""),
    ],
)
def test_values_are_printed_bare_and_lists_one_a_line(value, printed):
    assert results.plain(value) == printed


def test_json_is_indented_and_not_escaped():
    assert results.as_json(["<é>", 2.0]) == '[\n    "<é>",\n    2\n]\n'


def test_objects_are_printed_by_their_own_type_and_a_digest():
    id_ = base64.urlsafe_b64encode(b"Mallard@abc").decode()
    printed = results.objects(Type("INTERFACE_KIND", "Duck"), id_)
    assert re.fullmatch(r"Mallard@sha256:[0-9a-f]{64}\n", printed)


def test_lists_of_objects_are_printed_one_a_line():
    many = Type("LIST_KIND", element=Type("OBJECT_KIND", "Point"))
    lines = results.objects(many, [{"id": "a"}, {"id": "b"}]).splitlines()
    assert [line.partition("@")[0] for line in lines] == ["- Point", "- Point"]


@pytest.mark.parametrize(
    ("answer", "path", "found"),
    [
        ({"a": {"b": 3}}, ("a", "b"), 3),
        ({"a": [{"b": 1}, {"b": 2}]}, ("a", "b"), [{"b": 1}, {"b": 2}]),
        ({"a": None}, ("a", "b"), None),
    ],
)
def test_the_result_is_at_the_end_of_the_chain_or_where_a_list_begins(answer, path, found):
    assert results.unwrapped(answer, path) == found
