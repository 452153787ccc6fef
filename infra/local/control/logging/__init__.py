"""Cloud Logging: what containers print, requests that were served, and what clients write."""

from infra.local.control.logging.cloud import Logging
from infra.local.control.logging.logs import Logs

__all__ = ["Logging", "Logs"]
