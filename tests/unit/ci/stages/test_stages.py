"""Every stage of the pipeline is a function that is there, and of the module too."""

import inspect

import dagger
import pytest

from ci.module import Shipway
from ci.pipeline import PIPELINE
from ci.stages.project import Project
from ci.stages.result import Result


@pytest.mark.parametrize("stage", list(PIPELINE), ids=lambda stage: stage.name)
def test_a_stages_function_takes_a_project_and_hands_back_a_result(stage):
    signature = inspect.signature(stage.load())
    assert [parameter.annotation for parameter in signature.parameters.values()] == [Project]
    assert signature.return_annotation is Result


def test_every_stage_that_runs_by_default_is_a_function_of_the_module():
    functions = {name for name, value in vars(Shipway).items() if inspect.iscoroutinefunction(value)}
    assert {stage.name for stage in PIPELINE if stage.default} <= functions


def test_the_module_builds_a_container_that_a_person_can_go_on_with():
    assert inspect.signature(Shipway.build).return_annotation is dagger.Container


def test_build_waits_for_the_gate():
    assert set(PIPELINE["build"].needs) == {"train", "gate"}
