"""Where a command works, and how its progress is shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ci.engine.errors import EngineError
from ci.engine.progress import MODES


def progress_of(chosen: str | None, *, silent: bool, quiet: bool, live: bool) -> str:
    """Return how to show progress. ``live``: nothing else writes to the terminal, so a tree can be there.

    Raises:
        EngineError: there is no such way, or no terminal for it.
    """
    if silent or (quiet and not (live and sys.stderr.isatty())):
        return "quiet"
    if not chosen or chosen == "auto":
        chosen = os.environ.get("DAGGER_PROGRESS") or "auto"
    if chosen not in MODES:
        raise EngineError(f'unknown progress type "{chosen}"; DAGGER_PROGRESS may be {", ".join(MODES)}')
    if chosen == "tty" and not sys.stderr.isatty():
        raise EngineError('no tty available for progress "tty"')
    if chosen == "auto":
        return "tty" if live and sys.stderr.isatty() else "plain"
    return chosen


def workdir_of(named: str | None) -> Path:
    """Return the folder that relative paths of the host start from.

    Raises:
        EngineError: there is no such folder.
    """
    path = Path(named or os.environ.get("DAGGER_WORKDIR") or ".").absolute()
    if not path.is_dir():
        raise EngineError(f"there is no folder {path} to work in")
    return path
