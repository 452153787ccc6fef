"""Resolvers and the schema fit each other."""

import pytest

from ci.engine.api import RESOLVERS, registry, source
from ci.engine.api.registry import Registry
from ci.engine.api.schema import snake


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return source.installed(tmp_path_factory.mktemp("state")).schema


def test_every_resolver_of_the_engine_fits_the_sdks_schema(installed):
    assert list(registry.load(RESOLVERS).problems(installed)) == []


@pytest.mark.parametrize(
    ("graphql", "python"),
    [
        ("withExec", "with_exec"),
        ("from", "from_"),
        ("maxAPICalls", "max_api_calls"),
        ("loadLLMFromID", "load_llm_from_id"),
        ("asGit", "as_git"),
        ("import", "import_"),
    ],
)
def test_names_are_written_as_the_sdk_writes_them(graphql, python):
    assert snake(graphql) == python


def test_what_does_not_fit_is_told(schema):
    def put(_call, _parent, *, name, times, more=1):
        return name * times * more

    def painted(_call, parent, *, colour="", size=None, with_box=None):
        return parent, colour, size, with_box

    bad = Registry()
    bad.add("Box", "nope", lambda _call, _parent: None)
    bad.add("Box", "put", put)
    bad.add("Box", "painted", painted)
    bad.refusals["Ball", "gone"] = "no"
    assert sorted(bad.problems(schema)) == [
        "Ball.gone is refused, but the schema has no such field",
        "Box.nope is served, but the schema has no such field",
        "Box.painted: the resolver does not take 'all_boxes'",
        "Box.put: the resolver takes 'more', which the field has not",
        "Box.put: the resolver's 'times' needs a default, the argument is optional",
    ]


def test_a_field_has_one_resolver():
    double = Registry()
    double.add("Box", "name", lambda _call, _parent: "a")
    with pytest.raises(ValueError, match=r"Box\.name has two resolvers"):
        double.add("Box", "name", lambda _call, _parent: "b")
