"""State folders in temporary places, and sessions on them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A state folder."""
    return tmp_path / "state"


@pytest.fixture
def session(root: Path) -> Iterator[Callable[[], Store]]:
    """Opens a session's store; those that are left open are closed in the end."""
    opened: list[Store] = []

    def open_() -> Store:
        opened.append(Store(root, Ownership(on_disk=False)))
        return opened[-1]

    yield open_
    for store in opened:
        if not store.closed:
            store.close()
