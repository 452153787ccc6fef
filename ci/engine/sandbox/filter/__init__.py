"""The system call filter of a step: Docker's default profile, and ownership pretended where there is one user."""

from ci.engine.sandbox.filter.profile import ALLOW_ALL, confined, pretending

__all__ = ["ALLOW_ALL", "confined", "pretending"]
