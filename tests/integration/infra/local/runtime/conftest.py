"""An image and a stage for it: real instances behind a real proxy."""

import pytest

from infra.local.runtime.scaling import Scaling
from tests.integration.infra.local.runtime.image import write_image
from tests.integration.infra.local.runtime.staged import Staged


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    return write_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def state(tmp_path_factory):
    """Where layers are unpacked once for all tests."""
    return tmp_path_factory.mktemp("state")


QUICK = Scaling(idle=0.2, backoff=0.1)


@pytest.fixture(scope="module")
def stage(image, state):
    stage = Staged(state, image, QUICK)
    yield stage
    stage.close()


@pytest.fixture
def staged(stage):
    """Instances go soon after their last request, and crashed ones come back soon."""
    yield stage
    stage.clear()


@pytest.fixture
def doomed(image, state):
    """A stage for one test alone, which may kill it."""
    stage = Staged(state, image, QUICK)
    yield stage
    stage.close()


@pytest.fixture
def impatient(image, state):
    """Requests wait for an instance for half a second."""
    stage = Staged(state, image, Scaling(pending=0.5))
    yield stage
    stage.close()
