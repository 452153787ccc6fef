"""The numbers at /metrics, in Prometheus' text format; one registry for each service in the process."""

import threading
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.monitoring.drift import DriftCounter

CONFIDENCE_STEPS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 1.0)


class Telemetry:
    """Counts requests and decisions. ``drift`` arrives with the model, by ``watch``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "loan_requests", "Requests by path and status.", ("path", "status"), registry=self.registry
        )
        self.latency = Histogram(
            "loan_request_seconds", "Time to answer, by path.", ("path",), registry=self.registry
        )
        self._decisions = Counter(
            "loan_decisions", "Decisions by outcome.", ("decision",), registry=self.registry
        )
        self._confidence = Histogram(
            "loan_confidence", "Confidence of decisions.", buckets=CONFIDENCE_STEPS, registry=self.registry
        )
        self._ready = Gauge("loan_model_ready", "1 when a model is loaded.", registry=self.registry)
        self._model = Gauge("loan_model_info", "The model served.", ("sha256",), registry=self.registry)
        self._lock = threading.Lock()
        self._totals = {"approve": 0, "deny": 0, "refer": 0}
        self.drift: DriftCounter | None = None
        for decision in self._totals:
            self._decisions.labels(decision)
        self.registry.register(_Derived(self))

    def watch(self, model_sha256: str, drift: DriftCounter) -> None:
        """A model is loaded: say which, and count its inputs into ``drift``."""
        self.drift = drift
        self._model.labels(model_sha256).set(1)
        self._ready.set(1)

    def decided(self, decisions: Iterable[tuple[str, float]]) -> None:
        """Count decisions with their confidence."""
        for decision, confidence in decisions:
            self._decisions.labels(decision).inc()
            self._confidence.observe(confidence)
            with self._lock:
                self._totals[decision] += 1

    @property
    def totals(self) -> dict[str, int]:
        """Decisions so far by outcome."""
        return dict(self._totals)

    @property
    def low_confidence_share(self) -> float:
        """Share of decisions so far that went to a human; 0 before the first."""
        return self._totals["refer"] / max(1, sum(self._totals.values()))

    def render(self) -> bytes:
        """The registry in text format."""
        return generate_latest(self.registry)


class _Derived(Collector):
    """Gauges that are computed when somebody asks."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "loan_low_confidence_share",
            "Share of decisions handed to a human.",
            value=self._telemetry.low_confidence_share,
        )
        drift = GaugeMetricFamily(
            "loan_input_drift", "Population stability index against the training rows.", labels=["input"]
        )
        for name, value in (self._telemetry.drift.index() if self._telemetry.drift else {}).items():
            drift.add_metric([name], value)
        yield drift
