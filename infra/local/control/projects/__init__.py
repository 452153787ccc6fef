"""Resource Manager: projects, which are there as soon as somebody names them."""

from infra.local.control.projects.manager import ResourceManager
from infra.local.control.projects.registry import Projects

__all__ = ["Projects", "ResourceManager"]
