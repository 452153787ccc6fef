"""A step's system call filter: Docker's default profile, and ownership pretended to a lone user."""

from ci.engine.sandbox.filter.profile import ALLOW_ALL, confined, pretending

__all__ = ["ALLOW_ALL", "confined", "pretending"]
