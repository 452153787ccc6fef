"""The front proxy: requests of all services, split between revisions, with their metrics and logs."""

from infra.local.traffic.access import Invokers, Unverified
from infra.local.traffic.backend import Backend, NoInstance, Slot, Unavailable
from infra.local.traffic.front import FrontProxy
from infra.local.traffic.metrics import Metrics
from infra.local.traffic.wire.limits import Limits

__all__ = [
    "Backend",
    "FrontProxy",
    "Invokers",
    "Limits",
    "Metrics",
    "NoInstance",
    "Slot",
    "Unavailable",
    "Unverified",
]
