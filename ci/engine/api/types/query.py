"""The API's entry points that are values of the engine itself, and those that it does not have."""

from ci.engine.api.registry import Call, refuse, serves
from ci.engine.platform import api_version, host_platform


@serves("Query")
def version(_call: Call, _parent: object) -> str:
    """The version of Dagger whose API this is."""
    return api_version()


@serves("Query")
def default_platform(_call: Call, _parent: object) -> str:
    """The platform of containers that do not name one."""
    return host_platform()


refuse("Query", "llm", "env", "current_env", because="models and agents are run by Dagger's own engine")
refuse("Query", "cloud", because="there is no Dagger Cloud behind it")
refuse("Query", "current_workspace", because="a script has no workspace; use host")
refuse("Query", "sshfs_volume", because="it mounts no remote file systems")
