"""Where the engine keeps what outlives a session."""

import os
from collections.abc import Mapping
from pathlib import Path

from ci.engine.errors import EngineError

LAYOUT = "v2"  # the version of everything below the state folder; a new one starts afresh beside the old


class StateError(EngineError):
    """The state folder cannot be used."""


def root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the state folder: ``$SHIPWAY_STATE``, or ``shipway`` in the user's cache folder."""
    if named := environ.get("SHIPWAY_STATE"):
        return Path(named).absolute()
    cache = environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path there is to be ignored.
    return Path(cache if os.path.isabs(cache) else Path.home() / ".cache") / "shipway"


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this version's state, made if it is not there.

    Raises:
        StateError: it cannot be made or written to; the message says why, and what to do.
    """
    path = root(environ) / LAYOUT
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".writable-{os.getpid()}"
        probe.write_bytes(b"\n")
        probe.unlink()
    except OSError as error:
        raise StateError(
            f"cannot write to the state folder {path}: {error.strerror}; "
            "free some space or name another folder in SHIPWAY_STATE"
        ) from error
    return path
