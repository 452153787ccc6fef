"""What a person asked the pipeline to do, checked as far as this machine can tell. No Dagger yet."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from ci.graph import Plan
from ci.host_settings import HostSettings
from ci.settings import Settings
from ci.target import Target

ARCHIVE = "oci-archive:"
PYTHON_VERSION = re.compile(r"3\.(\d+)(\.\d+)?")


class BadBaseImage(Exception):
    """The base image or Python version that was asked for cannot be meant; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One run of the pipeline.

    ``options`` are those of the command line that a stage run again by itself must be given again.
    `target` is where the stages that deliver do so.
    """

    root: Path
    plan: Plan
    base_image: str
    settings: Settings
    host: HostSettings
    fail_fast: bool = False
    output: Path | None = None
    quiet: bool = False
    options: tuple[str, ...] = ()
    target: Target = field(default_factory=Target)


def check_base_image(reference: str | None, python: str) -> str:
    """The base image to use: the reference if there is one, else the slim image of a Python version.

    Raises:
        BadBaseImage: the version isn't one the project runs on, the reference is empty, or names an
            archive that isn't there.
    """
    version = PYTHON_VERSION.fullmatch(python)
    if not version or int(version[1]) < 11:
        raise BadBaseImage(f"--python {python}: the project runs on Python 3.11 and newer. Give it as 3.11.")
    if reference is None:
        return f"python:{python}-slim"
    path = reference.removeprefix(ARCHIVE)
    if not path:
        raise BadBaseImage(f"--base-image {reference!r} names no image. Give a reference, or {ARCHIVE}PATH.")
    if path != reference and not Path(path).is_file():
        raise BadBaseImage(f"--base-image: there is no file {path}. `make base-image` writes one.")
    return reference
