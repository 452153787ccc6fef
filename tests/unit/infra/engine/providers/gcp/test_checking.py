"""Inputs checked: defaults, random names that are kept, and what is wrong told by its path."""

import pytest

from infra.engine.providers.gcp.checking import AutoName, check
from infra.engine.providers.gcp.schema import parse
from infra.engine.values import UNKNOWN

SCHEMA = parse(
    """
name   string  required replaces
size   int = 3
open   bool
words  list
marks  map
uri    string  computed
parts  objects
  image  string  required
  tries  int = 1
inside  object
  path  string = "/"
"""
)


def checked(news, olds=None, auto=None, seed=b"seed"):
    return check(SCHEMA, olds or {}, news, name="it", seed=seed, auto=auto)


def test_defaults_are_filled_in_at_every_level_and_named():
    inputs = checked({"name": "n", "parts": [{"image": "i"}], "inside": {}}).inputs
    assert inputs == {
        "__defaults": ["size"],
        "name": "n",
        "size": 3,
        "parts": [{"__defaults": ["tries"], "image": "i", "tries": 1}],
        "inside": {"__defaults": ["path"], "path": "/"},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "Missing required argument: name must be set."),
        ({"parts": [{}]}, "Missing required argument: parts[0].image must be set."),
        ({"size": "many"}, "size is 'many'; it must be a whole number."),
        ({"size": 1.5}, "size is 1.5; it must be a whole number."),
        ({"size": True}, "size is True; it must be a whole number."),
        ({"open": "yes"}, "open is 'yes'; it must be true or false."),
        ({"words": "one"}, "words is 'one'; it must be a list of texts."),
        ({"marks": []}, "marks is a list; it must be an object of texts."),
        ({"parts": {}}, "parts is an object; it must be a list of objects."),
        ({"inside": "x"}, "inside is 'x'; it must be an object."),
        ({"uri": "x"}, "uri is for the cloud to say; it cannot be set."),
        ({"nam": "x"}, "nam is not a property that is served here. Did you mean name?"),
    ],
)
def test_what_is_wrong_is_told_by_its_path(change, message):
    failures = checked({"name": "n"} | change).failures
    assert [failure.reason for failure in failures] == [message]


def test_text_is_read_as_terraform_reads_it():
    inputs = checked({"name": 7, "size": "4", "open": "true"}).inputs
    assert (inputs["name"], inputs["size"], inputs["open"]) == ("7", 4, True)


def test_what_is_unknown_in_a_preview_is_let_be():
    unknown = {"name": UNKNOWN, "size": UNKNOWN, "parts": [UNKNOWN], "inside": UNKNOWN}
    assert checked(unknown).failures == ()


def test_a_name_is_made_up_once_and_kept():
    auto = AutoName("name", 20)
    first = checked({}, auto=auto).inputs
    assert first["name"].startswith("it-")
    assert len(first["name"]) == len("it-") + 7
    assert "name" in first["__defaults"]
    assert checked({}, olds=first, auto=auto, seed=b"another").inputs["name"] == first["name"]
    assert checked({}, olds={"name": "by-hand", "__defaults": []}, auto=auto).inputs["name"] != "by-hand"
    assert checked({"name": "mine"}, olds=first, auto=auto).inputs["name"] == "mine"
