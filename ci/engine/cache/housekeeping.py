"""Keeps the cache within its policy in the background of a session, and drops what older versions left."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from pathlib import Path

import anyio
import anyio.to_thread

from ci.engine.cache import collect
from ci.engine.cache.policy import Policy
from ci.engine.store import leases
from ci.engine.store.layers import discard

#: Seconds from the session's start to the first look: what the client came for goes first.
_PATIENCE = 1.0
#: Seconds between two looks.
_INTERVAL = 300.0
#: Seconds that another version's state is left alone after its last use.
_UNUSED = 7 * 24 * 3600


class Housekeeping:
    """The collector of one session's state folder."""

    def __init__(self, root: Path, policy: Policy) -> None:
        self.policy = policy
        self._root = root
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End what is under way soon, in the thread that does it."""
        self._stopped.set()

    async def run(self) -> None:
        """Look every now and then, until cancelled. What goes wrong is left to the next look."""
        await anyio.sleep(_PATIENCE)
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, collect.Stopped):
                await anyio.to_thread.run_sync(self._look)
            await anyio.sleep(_INTERVAL)

    def _look(self) -> None:
        drop_older_layouts(self._root)
        collect.by_policy(self._root, self.policy, self._stopped.is_set)


def drop_older_layouts(root: Path) -> None:
    """Delete the state of earlier versions of the engine, once nobody has used it for a week. Blocking."""
    number = re.fullmatch(r"v(\d+)", root.name)
    for folder in root.parent.glob("v*") if number else ():
        older = re.fullmatch(r"v(\d+)", folder.name)
        if older is None or number is None or int(older[1]) >= int(number[1]):
            continue
        used = max((each.stat().st_mtime for each in folder.glob("index.sqlite*")), default=0.0)
        if time.time() - used > _UNUSED and not _in_use(folder):
            discard(folder)


def _in_use(folder: Path) -> bool:
    for file in (folder / "scratch").glob("*.lock"):
        handle = leases.alone(file)
        if handle is None:
            return True
        os.close(handle)
    return False
