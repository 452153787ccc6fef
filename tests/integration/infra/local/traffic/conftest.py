"""The same stage as the runtime's tests have."""

from tests.integration.infra.local.runtime.conftest import image, staged, state

__all__ = ["image", "staged", "state"]
