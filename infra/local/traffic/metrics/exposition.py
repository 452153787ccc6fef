"""The figures in Prometheus' text format.

Names are Cloud Run's with the prefix `run_` for the host, and Prometheus' own endings.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector

from infra.local.traffic.metrics import descriptors
from infra.local.traffic.metrics.distribution import Tally
from infra.local.traffic.metrics.minute import Figures, Population

__all__ = ["CONTENT_TYPE", "exposition"]

#: A revision's labels, its figures since the start, and its instances as they are now.
Row = tuple[dict[str, str], Figures, Population | None]
_RESOURCE = ("project_id", "location", "service_name", "revision_name", "configuration_name")
_CODES = (*_RESOURCE, "response_code", "response_code_class")
_STATE = (*_RESOURCE, "state")


def exposition(rows: Iterable[Row]) -> bytes:
    """The text; its media type is CONTENT_TYPE."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(list(rows)))
    return generate_latest(registry)


class _Snapshot(Collector):
    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance, so that registering does not collect."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus-client."""
        count = CounterMetricFamily("run_request_count", descriptors.REQUEST_COUNT.description, labels=_CODES)
        latency = HistogramMetricFamily(
            "run_request_latencies_milliseconds", descriptors.REQUEST_LATENCIES.description, labels=_CODES
        )
        concurrency = HistogramMetricFamily(
            "run_container_max_request_concurrencies",
            descriptors.MAX_REQUEST_CONCURRENCIES.description,
            labels=_RESOURCE,
        )
        billable = CounterMetricFamily(
            "run_container_billable_instance_time_seconds",
            descriptors.BILLABLE_INSTANCE_TIME.description,
            labels=_RESOURCE,
        )
        instances = GaugeMetricFamily(
            "run_container_instance_count", descriptors.INSTANCE_COUNT.description, labels=_STATE
        )
        pending = GaugeMetricFamily(
            "run_pending_queue_pending_requests", descriptors.PENDING_REQUESTS.description, labels=_RESOURCE
        )
        for resource, figures, population in self._rows:
            place = [resource[name] for name in _RESOURCE]
            for status, tally in sorted(figures.latencies.items()):
                labels = [*place, str(status), f"{status // 100}xx"]
                count.add_metric(labels, tally.count)
                latency.add_metric(labels, _cumulative(tally), tally.mean * tally.count)
            concurrency.add_metric(
                place,
                _cumulative(figures.concurrencies),
                figures.concurrencies.mean * figures.concurrencies.count,
            )
            billable.add_metric(place, figures.billable)
            if population is not None:
                instances.add_metric([*place, "active"], population.active)
                instances.add_metric([*place, "idle"], population.idle)
                pending.add_metric(place, population.pending)
        yield from (count, latency, concurrency, billable, instances, pending)


def _cumulative(tally: Tally) -> list[tuple[str, float]]:
    """A histogram's buckets as Prometheus has them: each counts all values up to its bound."""
    found, total = [], 0
    for place, bound in enumerate(tally.buckets.bounds):
        total += tally.counts[place]
        found.append((f"{bound:.6g}", float(total)))
    return [*found, ("+Inf", float(tally.count))]
