"""The one place where a base image comes from.

By reference (`python:3.11-slim`): an engine with a registry pulls it, the embedded one bootstraps its
equivalent. Or `oci-archive:PATH`, a file that `make base-image` wrote, for an engine without a registry.
"""

from pathlib import Path

import dagger
from dagger import dag

from ci.request import ARCHIVE


def base_image(reference: str) -> dagger.Container:
    """The base image of a reference; an ``oci-archive:PATH`` is read from the client's machine."""
    if reference.startswith(ARCHIVE):
        path = Path(reference.removeprefix(ARCHIVE)).resolve()
        return dag.container().import_(dag.host().file(str(path)))
    return dag.container().from_(reference)
