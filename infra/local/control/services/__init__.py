"""Service Usage: which APIs are enabled in which project."""

from infra.local.control.services.usage import ServiceUsage

__all__ = ["ServiceUsage"]
