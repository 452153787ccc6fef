"""Deletes directories behind a session's back: rmdir on a journalled disk costs a step more than the step."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from ci.engine.store.layers import discard


class Trash:
    """Directories to be deleted, one after the other, by a thread of its own."""

    def __init__(self) -> None:
        self._doomed: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, folder: Path) -> None:
        """Have a directory deleted soon; nobody may use it any more."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._empty, name="trash", daemon=True)
            self._thread.start()
        self._doomed.put(folder)

    def close(self) -> None:
        """Wait until everything is deleted."""
        if self._thread is not None:
            self._doomed.put(None)
            self._thread.join()
            self._thread = None

    def _empty(self) -> None:
        while (folder := self._doomed.get()) is not None:
            discard(folder)
