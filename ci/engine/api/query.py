"""The API's entry points that are values of the engine itself."""

import platform
from importlib.metadata import version as installed_version

from ci.engine.api.registry import Call, serves

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "i686": "386"}


@serves("Query")
def version(_call: Call, _parent: object) -> str:
    """The version of Dagger whose API this is."""
    return api_version()


@serves("Query")
def default_platform(_call: Call, _parent: object) -> str:
    """The platform of containers that do not name one."""
    return host_platform()


def api_version() -> str:
    """Return the version as Dagger writes it: that of the installed SDK."""
    return f"v{installed_version('dagger-io')}"


def host_platform() -> str:
    """Return this machine's platform as OCI writes it, such as ``linux/amd64``."""
    machine = platform.machine()
    return f"linux/{ARCHITECTURES.get(machine, machine)}"
