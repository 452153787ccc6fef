"""Differences: Terraform's rules of what is one, and what it takes."""

import pytest

from infra.engine.providers.gcp.comparing import compare
from infra.engine.providers.gcp.likeness import same
from infra.engine.providers.gcp.schema import parse
from infra.engine.values import UNKNOWN

SCHEMA = parse(
    """
name    string  required replaces
note    string
count   int
filled  string  either
uri     string  computed
marks   map
words   list
tags    set
parts   objects
  image  string
  inner  object  replaces
    key  string
envs    set
  name   string
  value  string
resources  object
  limits  map  either
"""
)
STATE = {
    "name": "projects/p/things/n",
    "note": "",
    "filled": "by the cloud",
    "uri": "u",
    "marks": {"a": "1"},
    "words": ["x", "y"],
    "tags": ["t", "u"],
    "parts": [{"image": "i", "inner": {"key": "k"}}],
    "envs": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
}
WANTED = {
    "name": "n",
    "marks": {"a": "1"},
    "words": ["x", "y"],
    "tags": ["u", "t"],
    "parts": [{"image": "i", "inner": {"key": "k"}}],
    "envs": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
    "resources": {"limits": {"cpu": "1000m"}},
}


def found(change):
    return {each.path: each.kind.value for each in compare(SCHEMA, STATE, WANTED | change, same)}


def test_what_means_the_same_is_no_difference():
    assert found({}) == {}


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ({"name": "other"}, {"name": "update-replace"}),
        ({"note": "new"}, {"note": "update"}),
        ({"count": 2}, {"count": "add"}),
        ({"count": 0}, {}),
        ({"filled": "mine"}, {"filled": "update"}),
        ({"marks": {"a": "2", "b.c": "3"}}, {"marks.a": "update", 'marks["b.c"]': "add"}),
        ({"marks": {}}, {"marks.a": "delete"}),
        ({"marks": None}, {"marks": "delete"}),
        ({"words": ["y", "x"]}, {"words[0]": "update", "words[1]": "update"}),
        ({"words": ["x"]}, {"words[1]": "delete"}),
        ({"tags": ["t", "v"]}, {"tags[1]": "update"}),
        ({"parts": [{"image": "j", "inner": {"key": "k"}}]}, {"parts[0].image": "update"}),
        ({"parts": [{"image": "i", "inner": {"key": "l"}}]}, {"parts[0].inner.key": "update-replace"}),
        ({"parts": [{"image": "i"}]}, {"parts[0].inner": "delete-replace"}),
        ({"parts": None}, {"parts": "delete"}),
        ({"envs": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]}, {"envs[1].value": "update"}),
        ({"envs": [{"name": "A", "value": "1"}]}, {"envs[1]": "delete"}),
        ({"resources": {"limits": {"memory": "1Gi"}}}, {"resources.limits.memory": "update"}),
        ({"name": UNKNOWN}, {"name": "update-replace"}),
        ({"parts": [UNKNOWN]}, {"parts[0]": "update"}),
    ],
)
def test_a_difference_has_a_path_and_says_what_it_takes(change, differences):
    assert found(change) == differences
