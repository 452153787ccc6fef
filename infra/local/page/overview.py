"""An overview of what a local cloud runs, as plain values that every view is made from."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from google.cloud import run_v2

from infra.local.control.names import last, place_of
from infra.local.control.run.conditions import FAILED, SUCCEEDED
from infra.local.control.run.shelves import Shelves
from infra.local.page.lines import LogLine
from infra.local.runtime.contract import Fleet
from infra.local.traffic.metrics import Distribution, Metrics

HOUR = 3600.0
_REQUESTS, _LATENCIES = "run.googleapis.com/request_count", "run.googleapis.com/request_latencies"
_SHOWN = 10  # revisions and executions


@dataclass(frozen=True, slots=True)
class RevisionView:
    """A revision: its share of the traffic, and what it did in the last hour. Latencies are in ms."""

    name: str
    image: str
    created: str
    state: str
    message: str
    percent: int
    tags: Mapping[str, str]
    instances: int
    requests: int
    errors: int
    mean_latency: float | None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service with its newest revisions, newest first; `state` is "ready", "failed" or "reconciling"."""

    name: str
    project: str
    location: str
    url: str
    state: str
    message: str
    labels: Mapping[str, str]
    revisions: tuple[RevisionView, ...]


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution of a job: how many of its tasks came to which end."""

    name: str
    job: str
    project: str
    location: str
    state: str
    succeeded: int
    failed: int
    running: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    services: tuple[ServiceView, ...]
    executions: tuple[ExecutionView, ...] = ()
    incidents: tuple[str, ...] = ()
    logs: Mapping[str, tuple[LogLine, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The whole overview as JSON values."""
        return asdict(self)


def _no_incidents() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Sight:
    """Where an overview comes from."""

    shelves: Shelves
    fleet: Fleet
    metrics: Metrics | None
    incidents: Callable[[], Sequence[str]] = _no_incidents

    def overview(self, logs: Mapping[str, tuple[LogLine, ...]] | None = None) -> Overview:
        """What there is now; `logs` are the lines to be shown of each service."""
        figures = self._figures()
        services = tuple(self._service(each, figures) for each in self.shelves.services.all())
        executions = sorted(self.shelves.executions.all(), key=lambda each: each.create_time, reverse=True)
        return Overview(
            services,
            tuple(_execution(each) for each in executions[:_SHOWN]),
            tuple(self.incidents()),
            logs or {},
        )

    def _service(self, service: run_v2.Service, figures: Mapping[str, "_Figures"]) -> ServiceView:
        place = place_of(service.name)
        revisions = sorted(
            self.shelves.revisions.all(service.name), key=lambda each: each.create_time, reverse=True
        )
        shares = {status.revision for status in service.traffic_statuses}
        shown = [each for index, each in enumerate(revisions) if index < _SHOWN or last(each.name) in shares]
        return ServiceView(
            service.name,
            place.project,
            place.location,
            service.uri,
            _state(service.terminal_condition, reconciling=service.reconciling),
            service.terminal_condition.message,
            dict(service.labels),
            tuple(self._revision(each, service, figures) for each in shown),
        )

    def _revision(
        self, revision: run_v2.Revision, service: run_v2.Service, figures: Mapping[str, "_Figures"]
    ) -> RevisionView:
        mine = [each for each in service.traffic_statuses if each.revision == last(revision.name)]
        ready = next((each for each in revision.conditions if each.type_ == "Ready"), run_v2.Condition())
        counted = figures.get(revision.name, _Figures())
        return RevisionView(
            last(revision.name),
            revision.containers[0].image if revision.containers else "",
            _moment(revision.create_time),
            _state(ready, reconciling=revision.reconciling),
            ready.message,
            sum(each.percent for each in mine),
            {each.tag: each.uri for each in mine if each.tag},
            self.fleet.instances(revision.name),
            counted.requests,
            counted.errors,
            counted.milliseconds / counted.timed if counted.timed else None,
        )

    def _figures(self) -> dict[str, "_Figures"]:
        if self.metrics is None:
            return {}
        now = time.time()
        found: dict[str, _Figures] = {}
        for series in self.metrics.series(_REQUESTS, now - HOUR, now + 1):
            mine = found.setdefault(series.revision_key, _Figures())
            count = sum(int(point.value) for point in series.points if isinstance(point.value, int))
            mine.requests += count
            mine.errors += count if series.labels.get("response_code_class") == "5xx" else 0
        for series in self.metrics.series(_LATENCIES, now - HOUR, now + 1):
            mine = found.setdefault(series.revision_key, _Figures())
            for point in series.points:
                if isinstance(point.value, Distribution):
                    mine.timed += point.value.count
                    mine.milliseconds += point.value.count * point.value.mean
        return found


@dataclass(slots=True)
class _Figures:
    requests: int = 0
    errors: int = 0
    timed: int = 0
    milliseconds: float = 0.0


def _state(condition: run_v2.Condition, *, reconciling: bool) -> str:
    if reconciling:
        return "reconciling"
    return {SUCCEEDED: "ready", FAILED: "failed"}.get(condition.state, "reconciling")


def _execution(execution: run_v2.Execution) -> ExecutionView:
    place = place_of(execution.name)
    done = next((each for each in execution.conditions if each.type_ == "Completed"), run_v2.Condition())
    state = {SUCCEEDED: "succeeded", FAILED: "failed"}.get(done.state, "running")
    return ExecutionView(
        last(execution.name),
        last(execution.job),
        place.project,
        place.location,
        state,
        execution.succeeded_count,
        execution.failed_count,
        execution.running_count,
        execution.task_count,
    )


def _moment(value: Any) -> str:
    return value.isoformat(timespec="seconds") if value is not None else ""
