"""What a module's pyproject.toml asks for, and what of that is there already."""

import pytest

from ci.engine.errors import EngineError
from ci.engine.modules.running.project import Project

TEXT = """
[project]
name = "greeter"
requires-python = ">=3.11"
dependencies = ["dagger-io", "anyio>=4", "httpx<0.1", "rich; python_version < '3'", "yarl[x]"]

[project.entry-points."dagger.mod"]
main_object = "greeter.main:Greeter"

[tool.dagger]
base-image = "python:3.13-slim"
"""


def test_what_the_sdk_brings_is_not_installed_again() -> None:
    found = Project.parse(TEXT, "greeter", "pyproject.toml").missing({"anyio": "4.9", "httpx": "0.28"})
    assert [str(each) for each in found] == ["httpx<0.1", "yarl[x]"]


def test_its_main_object_and_base_image_are_where_dagger_has_them() -> None:
    found = Project.parse(TEXT, "greeter", "pyproject.toml")
    assert (found.entry_point, found.base_image) == ("greeter.main:Greeter", "python:3.13-slim")


def test_without_a_pyproject_the_project_is_called_as_the_module_is() -> None:
    assert Project.parse("", "myModule", "pyproject.toml").name == "my-module"


@pytest.mark.parametrize(
    ("asked", "runs"), [(">=3.11", True), (">=3.13", False), ("<3.11", False), ("", True)]
)
def test_it_runs_on_the_pythons_it_asks_for(asked: str, runs: bool) -> None:
    assert Project.parse(f'[project]\nrequires-python = "{asked}"', "x", "x").runs_on("3.11") is runs


def test_a_malformed_pyproject_is_an_error_that_names_it() -> None:
    with pytest.raises(EngineError, match="here/pyproject"):
        Project.parse("[project", "x", "here/pyproject.toml")
    with pytest.raises(EngineError, match="'a b' is no requirement"):
        Project.parse('[project]\ndependencies = ["a b"]', "x", "x").missing({})
