"""The metrics that there are, with kinds, units and labels as Cloud Monitoring lists them.

https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

from dataclasses import dataclass
from typing import Literal

#: The type of the monitored resource; its labels are project_id, location, service_name, revision_name and
#: configuration_name.
RESOURCE = "cloud_run_revision"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One metric: a google.api.MetricDescriptor's members; `labels` are those of the metric itself."""

    type: str
    kind: Literal["DELTA", "GAUGE"]
    value_type: Literal["INT64", "DOUBLE", "DISTRIBUTION"]
    unit: str
    display_name: str
    description: str
    labels: tuple[str, ...] = ()


_CODES = ("response_code", "response_code_class")

REQUEST_COUNT = Descriptor(
    "run.googleapis.com/request_count",
    "DELTA",
    "INT64",
    "1",
    "Request Count",
    "Number of requests reaching the revision.",
    _CODES,
)
REQUEST_LATENCIES = Descriptor(
    "run.googleapis.com/request_latencies",
    "DELTA",
    "DISTRIBUTION",
    "ms",
    "Request Latency",
    "Time from a request's arrival to the end of its response, in milliseconds.",
    _CODES,
)
INSTANCE_COUNT = Descriptor(
    "run.googleapis.com/container/instance_count",
    "GAUGE",
    "INT64",
    "1",
    "Instance Count",
    "Number of container instances, by whether they serve a request.",
    ("state",),
)
MAX_REQUEST_CONCURRENCIES = Descriptor(
    "run.googleapis.com/container/max_request_concurrencies",
    "DELTA",
    "DISTRIBUTION",
    "1",
    "Max Concurrent Requests",
    "The most requests that each container instance served at once in a minute.",
    ("state",),
)
BILLABLE_INSTANCE_TIME = Descriptor(
    "run.googleapis.com/container/billable_instance_time",
    "DELTA",
    "DOUBLE",
    "s",
    "Billable Instance Time",
    "Time that container instances spent on at least one request, summed over all instances.",
)
PENDING_REQUESTS = Descriptor(
    "run.googleapis.com/pending_queue/pending_requests",
    "GAUGE",
    "INT64",
    "1",
    "Pending Requests",
    "Number of requests that wait for an instance.",
)

#: All of them by type.
DESCRIPTORS = {
    each.type: each
    for each in (
        REQUEST_COUNT,
        REQUEST_LATENCIES,
        INSTANCE_COUNT,
        MAX_REQUEST_CONCURRENCIES,
        BILLABLE_INSTANCE_TIME,
        PENDING_REQUESTS,
    )
}
