"""Waiting for what has no event to wait for."""

import time


def until(condition, seconds=30):
    """Look until the condition holds; what it came to."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.01)
    return found
