"""How many processes and how much memory a container may have, and who holds it to that."""

from ci.engine.sandbox.limits.groups import Group, Groups
from ci.engine.sandbox.limits.values import UNLIMITED, BadLimit, Limits, limits

__all__ = ["UNLIMITED", "BadLimit", "Group", "Groups", "Limits", "limits"]
