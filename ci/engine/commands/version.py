"""``dagger version``: which Dagger's API is served, and by whom."""

from ci.engine.platform import api_version, host_platform


def line() -> str:
    """Return the line, in the shape of the real program's."""
    return f"dagger {api_version()} (embedded) {host_platform()}"
