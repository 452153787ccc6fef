"""dagger.json: read, changed, written back."""

import json

import pytest

from ci.engine.errors import EngineError
from ci.engine.modules.config import Config, Dependency

WHOLE = {
    "name": "greeter",
    "engineVersion": "v0.21.11",
    "sdk": {"source": "python"},
    "include": ["!build"],
    "dependencies": [{"name": "hi", "source": "../hi"}],
    "source": ".dagger",
    "disableDefaultFunctionCaching": True,
}


def test_what_is_written_is_what_was_read() -> None:
    assert json.loads(Config.parse(json.dumps(WHOLE).encode(), "dagger.json").text()) == WHOLE


def test_what_the_engine_does_not_know_is_kept() -> None:
    document = WHOLE | {"codegen": {"automaticGitignore": False}}
    assert json.loads(Config.parse(json.dumps(document).encode(), "x").text()) == document


def test_an_sdk_may_be_given_by_its_name_alone() -> None:
    assert Config.parse(b'{"name": "x", "sdk": "python"}', "x").sdk == "python"


def test_a_dependency_takes_the_place_of_one_of_its_name() -> None:
    config = Config().with_dependency(Dependency("b", "../old")).with_dependency(Dependency("a", "../a"))
    config = config.with_dependency(Dependency("b", "../new"))
    assert [(each.name, each.source) for each in config.dependencies] == [("a", "../a"), ("b", "../new")]


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"dependencies": [{"name": "x"}]}'])
def test_a_malformed_dagger_json_is_an_error_that_names_it(text: bytes) -> None:
    with pytest.raises(EngineError, match=r"some/dagger\.json: not a module's configuration"):
        Config.parse(text, "some/dagger.json")
