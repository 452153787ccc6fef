"""What the engine says of itself: the version of the API it serves, and the platform it runs on."""

import os
from importlib.metadata import version

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "i686": "386"}


def api_version() -> str:
    """Return the version as Dagger writes it: that of the installed SDK."""
    return f"v{version('dagger-io')}"


def host_platform() -> str:
    """Return this machine's platform as OCI writes it, such as ``linux/amd64``."""
    machine = os.uname().machine
    return f"linux/{ARCHITECTURES.get(machine, machine)}"
