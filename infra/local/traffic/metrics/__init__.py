"""What is counted of each revision, under the names and in the shapes of Cloud Run's own metrics."""

from infra.local.traffic.metrics.descriptors import DESCRIPTORS, RESOURCE, Descriptor
from infra.local.traffic.metrics.distribution import Buckets, Distribution
from infra.local.traffic.metrics.history import Metrics, Point, TimeSeries, Value

__all__ = [
    "DESCRIPTORS",
    "RESOURCE",
    "Buckets",
    "Descriptor",
    "Distribution",
    "Metrics",
    "Point",
    "TimeSeries",
    "Value",
]
