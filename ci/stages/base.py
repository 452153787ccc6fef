"""The one place where a base image comes from.

By reference (`python:3.11-slim`): an engine with a registry pulls it, the embedded one bootstraps its
equivalent. Or `oci-archive:PATH`, a file that `make base-image` wrote, for an engine without a registry.
"""

from pathlib import Path

import dagger
from dagger import dag

ARCHIVE = "oci-archive:"


class BadBaseImage(Exception):
    """The base image that was asked for cannot be meant; the text says why."""


def check(reference: str) -> None:
    """Check a base image reference, as far as this machine can tell.

    Raises:
        BadBaseImage: it is empty, or an archive that isn't there.
    """
    path = reference.removeprefix(ARCHIVE)
    if not path:
        raise BadBaseImage(f"{reference!r} names no image. Give a reference or {ARCHIVE}PATH.")
    if path != reference and not Path(path).is_file():
        raise BadBaseImage(
            f"There is no file {path}. Write a base image with `make base-image`, and give its path."
        )


def default_reference(python: str) -> str:
    """The base image for a Python version such as ``3.11``."""
    return f"python:{python}-slim"


def base_image(reference: str) -> dagger.Container:
    """The base image of a reference; an ``oci-archive:PATH`` is read from the client's machine."""
    if reference.startswith(ARCHIVE):
        path = Path(reference.removeprefix(ARCHIVE)).resolve()
        return dag.container().import_(dag.host().file(str(path)))
    return dag.container().from_(reference)
