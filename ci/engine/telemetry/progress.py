"""How an export goes, and how long the engine waits for it at its end."""

import threading

LOADING_SECONDS = 10.0  # the SDK's import, on a busy machine
SILENT_SECONDS = 1.0  # given to an endpoint that has not answered yet, at the end
ANSWERING_SECONDS = 10.0  # given to one that has


class Progress:
    """How an export goes, told by the thread that does it."""

    def __init__(self) -> None:
        self.loaded = threading.Event()
        self.answered = threading.Event()
        self.settled = threading.Event()
        self.trouble: str | None = None

    def fail(self, reason: str) -> None:
        """Note what went wrong, the first time."""
        if self.trouble is None:
            self.trouble = reason
        self.settled.set()

    def wait(self) -> None:
        """Wait for the end of an export as long as it deserves."""
        if self.loaded.wait(LOADING_SECONDS):
            self.settled.wait(SILENT_SECONDS)
        if self.answered.is_set():
            self.settled.wait(ANSWERING_SECONDS)
        elif not self.settled.is_set():
            self.fail("the endpoint does not answer")
