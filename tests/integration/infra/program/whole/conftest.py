"""The program against the whole local cloud, by the console script, as somebody at this machine runs it."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.settings import ENVIRONMENTS
from tests.integration.infra.local.whole.conftest import Whole, archive, push
from tests.integration.infra.program.conftest import IMAGE, project, releases

__all__ = ["archive", "push"]  # fixtures
PULUMI = (str(Path(sys.executable).with_name("pulumi")), "--embedded")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    made = Whole(tmp_path_factory.mktemp("cloud"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pulumi(cloud, tmp_path_factory):
    """Finds the cloud by itself, by where its state is."""
    folder = tmp_path_factory.mktemp("project")
    return project(folder, {"SHIPWAY_CLOUD_STATE": str(cloud.state)}, PULUMI)


@pytest.fixture(scope="module")
def release(pulumi):
    return releases(pulumi)


@pytest.fixture(scope="module")
def delivered(cloud, pulumi, push, release):
    begun = time.monotonic()
    deliver(cloud, pulumi, push, release)
    assert time.monotonic() - begun < 60
    return ENVIRONMENTS


def deliver(cloud, pulumi, push, release):
    """All environments from nothing, as documented: laid out, an image pushed to each one's repository, run.

    Production is last, since it takes over what acceptance runs.
    """
    up = ("up", "--yes", "--skip-preview", "--stack")
    for stack in ENVIRONMENTS:
        pulumi("stack", "init", stack)

    def one(stack):
        pulumi(*up, stack)
        digest = push(cloud, f"shipway-{stack}", "app", "loan-decisions").partition("@")[2]
        release(stack, f"{IMAGE.partition('@')[0]}@{digest}")
        pulumi(*up, stack)

    with ThreadPoolExecutor(2) as several:
        list(several.map(one, ENVIRONMENTS[:-1]))
    pulumi(*up, ENVIRONMENTS[-1])
