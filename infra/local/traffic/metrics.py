"""What is counted of each revision: requests by code, latencies, instances, queue.

Names are those of Cloud Run's own metrics, so that an alert means the same here as there:
https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

import bisect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: Upper bounds of the latency histogram's buckets, in seconds.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(slots=True)
class Figures:
    """One revision's figures since the proxy started; latencies in seconds, `buckets` not cumulative."""

    codes: Counter[int] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """All requests."""
        return sum(self.buckets)

    def classes(self) -> dict[str, int]:
        """Requests by the class of their code: "2xx", "4xx", ..."""
        found: Counter[str] = Counter()
        for code, count in self.codes.items():
            found[f"{code // 100}xx"] += count
        return dict(sorted(found.items()))


class Metrics:
    """The figures of all revisions."""

    def __init__(self) -> None:
        self.revisions: dict[str, Figures] = {}

    def observe(self, revision_key: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        figures = self.revisions.get(revision_key)
        if figures is None:
            figures = self.revisions[revision_key] = Figures()
        figures.codes[status] += 1
        figures.buckets[bisect.bisect_left(BOUNDS, seconds)] += 1
        figures.seconds += seconds

    def text(self, populations: Mapping[str, tuple[int, int]]) -> str:
        """All of it in Prometheus' text format 0.0.4; `populations` has instances and waiting requests."""
        return "".join(f"{line}\n" for line in self._lines(populations))

    def _lines(self, populations: Mapping[str, tuple[int, int]]) -> Iterator[str]:
        yield "# HELP run_request_count Requests that reached the revision."
        yield "# TYPE run_request_count counter"
        for key, figures in self.revisions.items():
            for code, count in sorted(figures.codes.items()):
                labels = f'{_labels(key)},response_code="{code}",response_code_class="{code // 100}xx"'
                yield f"run_request_count{{{labels}}} {count}"
        yield "# HELP run_request_latencies_seconds Time from a request's head to the end of its response."
        yield "# TYPE run_request_latencies_seconds histogram"
        for key, figures in self.revisions.items():
            total = 0
            for bound, count in zip((*BOUNDS, "+Inf"), figures.buckets, strict=True):
                total += count
                yield f'run_request_latencies_seconds_bucket{{{_labels(key)},le="{bound}"}} {total}'
            yield f"run_request_latencies_seconds_sum{{{_labels(key)}}} {figures.seconds}"
            yield f"run_request_latencies_seconds_count{{{_labels(key)}}} {total}"
        gauges = (("run_container_instance_count", "Instances."), ("run_pending_queue_length", "Waiting."))
        for place, (name, text) in enumerate(gauges):
            yield f"# HELP {name} {text}"
            yield f"# TYPE {name} gauge"
            for key, population in populations.items():
                yield f"{name}{{{_labels(key)}}} {population[place]}"


def _labels(revision_key: str) -> str:
    """Names have no character that a label's value would need to escape."""
    _, project, _, location, _, service, _, revision = revision_key.split("/")
    return f'project_id="{project}",location="{location}",service_name="{service}",revision_name="{revision}"'
