"""A Unix socket of the host's."""

from __future__ import annotations

from dataclasses import dataclass

from ci.engine.graph.fingerprint import Digested


@dataclass(frozen=True)
class Socket(Digested):
    """A Unix socket by its path on the host."""

    path: str
