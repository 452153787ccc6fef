"""The front proxy: requests of all services, split between revisions, with their metrics and logs."""

from infra.local.traffic.backend import Backend, NoInstance, Slot, Unavailable
from infra.local.traffic.front import FrontProxy
from infra.local.traffic.limits import Limits
from infra.local.traffic.metrics import Metrics

__all__ = ["Backend", "FrontProxy", "Limits", "Metrics", "NoInstance", "Slot", "Unavailable"]
