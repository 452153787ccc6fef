"""A store in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store that keeps owners in its trees alone."""
    opened = Store(tmp_path / "state", Ownership(on_disk=False))
    yield opened
    opened.close()
