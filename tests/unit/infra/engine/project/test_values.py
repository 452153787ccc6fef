"""Configuration keys, values and paths, as `pulumi config --path` has them."""

import pytest

from infra.engine.project import values
from infra.engine.project.errors import ProjectError


@pytest.mark.parametrize(
    ("text", "key"), [("a", "shop:a"), ("gcp:project", "gcp:project"), ("gcp:config:zone", "gcp:zone")]
)
def test_a_key_without_a_namespace_is_the_projects(text, key):
    assert values.parse_key(text, "shop") == key


def test_a_key_with_too_many_parts_is_refused():
    with pytest.raises(ProjectError, match="could not parse a:b:c as a configuration key"):
        values.parse_key("a:b:c", "shop")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ["a"]),
        ("a.b", ["a", "b"]),
        ("names[0].x", ["names", 0, "x"]),
        ('["a.b"]["c\\"d"]', ["a.b", 'c"d']),
    ],
)
def test_paths(text, path):
    assert values.parse_path(text) == path


@pytest.mark.parametrize("text", ["", "[0]", "a[", "a[x]"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ProjectError, match="invalid config key"):
        values.parse_path(text)


def test_maps_and_lists_on_the_way_are_made():
    made = values.set_in(None, ["b", 0, "c"], 1, "a.b[0].c")
    assert made == {"b": [{"c": 1}]}
    assert values.get_in(made, ["b", 0, "c"]) == (True, 1)
    assert values.remove_in(made, ["b", 0]) == {"b": []}
    assert values.remove_in(made, ["x"]) == made


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ([1], [2], "array index out of range"),
        ({"a": 1}, [0], "an array was expected"),
        ("text", ["a"], "a map was expected"),
        ({"secure": "v1:x"}, ["a"], "are reserved"),
    ],
)
def test_a_path_that_does_not_fit_is_refused(value, path, message):
    with pytest.raises(ProjectError, match=message):
        values.set_in(value, path, 1, "key")


def test_text_inside_a_path_is_what_it_reads_as():
    assert [values.typed(text) for text in ("true", "12", "012", "x")] == [True, 12, "012", "x"]


def test_a_list_is_given_to_the_program_as_json():
    assert values.as_text({"b": [1, "<"], "a": None}) == '{"a":null,"b":[1,"\\u003c"]}'
    assert values.as_text("plain") == "plain"
    assert values.as_text(value=True) == "true"


def test_secrets_are_blinded_wherever_they_are():
    value = {"a": [{"secure": "v1:x"}], "b": 1}
    assert values.has_secret(value)
    assert values.blinded(value) == {"a": ["[secret]"], "b": 1}
