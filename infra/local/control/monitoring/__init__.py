"""Cloud Monitoring: metrics read and written, alert policies evaluated, incidents told of."""

from infra.local.control.monitoring.cloud import Monitoring
from infra.local.control.monitoring.incidents import Incident

__all__ = ["Incident", "Monitoring"]
