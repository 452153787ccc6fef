"""``CacheVolume``: a directory that outlives steps and sessions."""

from ci.engine.api.registry import Call, serves
from ci.engine.graph.files import Directory
from ci.engine.graph.volume import CacheVolume


@serves("Query")
def cache_volume(
    _call: Call,
    _parent: object,
    *,
    key: str,
    source: Directory | None = None,
    sharing: str = "SHARED",
    owner: str = "",
) -> CacheVolume:
    """The volume of that key."""
    return CacheVolume(key, source, sharing, owner)
