"""Where a layer is known to be, so that a registry can be asked to take it from there.

It is kept with the blob itself, as an extended attribute, and so is gone when the blob is.
"""

import contextlib
import os

from ci.engine.images.registry.endpoints import Place
from ci.engine.store.blobs import Blobs

_NAME = "user.shipway.origins"
_MOST = 8


def remember(blobs: Blobs, digest: str, place: Place) -> None:
    """Note that the repository at `place` has a blob. A file system without attributes notes nothing."""
    line = f"{place.registry} {place.repository}"
    known = _lines(blobs, digest)
    if line not in known:
        with contextlib.suppress(OSError):
            os.setxattr(blobs.path(digest), _NAME, "\n".join([line, *known][:_MOST]).encode())


def origins(blobs: Blobs, digest: str, registry: str) -> list[str]:
    """Repositories of a registry that had the blob, the latest first."""
    found = (line.partition(" ") for line in _lines(blobs, digest))
    return [repository for host, _, repository in found if host == registry]


def _lines(blobs: Blobs, digest: str) -> list[str]:
    try:
        return os.getxattr(blobs.path(digest), _NAME).decode().splitlines()
    except OSError:
        return []
