"""The API's entry points that are values of the engine itself."""

from ci.engine.api.registry import Call, serves
from ci.engine.platform import api_version, host_platform


@serves("Query")
def version(_call: Call, _parent: object) -> str:
    """The version of Dagger whose API this is."""
    return api_version()


@serves("Query")
def default_platform(_call: Call, _parent: object) -> str:
    """The platform of containers that do not name one."""
    return host_platform()
