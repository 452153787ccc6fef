"""A step's command is shown as it was meant, and its note tells cached from run."""

import pytest

from ci.stages.downloads import WITH_SETTINGS
from ci.stages.result import Result
from ci.stages.step import WITH_NOTE, plain


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (["sh", "-c", WITH_NOTE, "step", "pytest", "-x"], ["pytest", "-x"]),
        (["sh", "-c", WITH_NOTE, "step", "sh", "-c", WITH_SETTINGS, "download", "uv", "pip"], ["uv", "pip"]),
        (["sh", "-c", "echo hello"], ["sh", "-c", "echo hello"]),
        (["true"], ["true"]),
    ],
)
def test_the_shell_around_a_command_is_taken_off(command, meant):
    assert plain(command) == meant


def test_a_stage_came_from_the_cache_when_each_of_its_steps_ran_before_this_run():
    assert Result((10.0, 11.0)).cached(since=12.0) is True
    assert Result((10.0, 13.0)).cached(since=12.0) is False
    assert Result(()).cached(since=12.0) is None
