"""A front proxy with one instance behind it."""

import pytest

from tests.integration.infra.local.traffic.stage import Stage


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def instance(stage):
    """The only instance of the only revision of web.localhost."""
    made = stage.instance()
    stage.route()
    return made
