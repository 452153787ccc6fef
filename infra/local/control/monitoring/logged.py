"""logging.v2: metrics that count log entries from their creation on, as logging.googleapis.com/user/NAME.

https://cloud.google.com/logging/docs/logs-based-metrics
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from infra.local.api.discovery import Request
from infra.local.api.errors import ApiError, exists, invalid, not_found
from infra.local.control.documents import Documents, Json, page_of, timestamp
from infra.local.control.logging import Logs
from infra.local.control.logging.query import Query, values
from infra.local.control.monitoring.names import project_of
from infra.local.control.monitoring.series import Series
from infra.local.state import Store
from infra.local.traffic.metrics import Point

PREFIX = "logging.googleapis.com/user/"
MINUTE, KEPT = 60, 360
_NAME = re.compile(r"[A-Za-z0-9_\-.,+!*',()%/]{1,100}")
_EXTRACT = re.compile(r"EXTRACT\(\s*([\w.\"/-]+)\s*\)")
_Key = tuple[tuple[tuple[str, str], ...], str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Counted:
    """A metric at work: what it counts, and how many there were by minute, labels and resource."""

    query: Query
    labels: Mapping[str, tuple[str, ...]]
    minutes: dict[int, Counter[_Key]] = field(default_factory=dict)


class LogMetrics:
    """The methods on log-based metrics, and what they count in `logs`."""

    def __init__(self, store: Store, logs: Logs) -> None:
        self._documents = Documents(store, "log-metric")
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str], _Counted] = {}
        for body in self._documents.all("projects/-"):
            self._watch(body["resourceName"].split("/")[1], body)
        logs.observe(self._count)

    async def create(self, request: Request) -> Json:
        """A new metric."""
        project = project_of(request.parameters["parent"])
        name = request.body.get("name", "")
        if self._documents.get(_key(project, name)) is not None:
            raise exists(f"Metric {name[:100]} already exists.", _key(project, name))
        return self._save(project, request.body, timestamp())

    async def get(self, request: Request) -> Json:
        """The metric."""
        return self._find(request.parameters["metricName"])

    async def list(self, request: Request) -> Json:
        """The metrics of a project."""
        project = project_of(request.parameters["parent"])
        answer = page_of(list(self._documents.all(f"projects/{project}")), request.parameters, "metrics")
        return {key: value for key, value in answer.items() if value}

    async def update(self, request: Request) -> Json:
        """A metric, new or in place of the one of its name."""
        project, name = _parts(request.parameters["metricName"])
        current = self._documents.get(_key(project, name))
        created = current["createTime"] if current else timestamp()
        return self._save(project, {**request.body, "name": name}, created)

    async def delete(self, request: Request) -> None:
        """Forget a metric with what it counted."""
        found = self._find(request.parameters["metricName"])
        project, name = _parts(request.parameters["metricName"])
        self._documents.remove(_key(project, name))
        with self._lock:
            self._counted.pop((project, found["name"]), None)

    def descriptors(self, project: str) -> Iterator[Json]:
        """The metric descriptors of a project's metrics."""
        return (body["metricDescriptor"] for body in self._documents.all(f"projects/{project}"))

    def series(self, project: str, kind: str, start: float, end: float) -> Iterator[Series]:
        """What a metric counted by the minute, after `start` and until `end`, the newest first."""
        found: dict[_Key, list[Point]] = {}
        with self._lock:
            counted = self._counted.get((project, kind.removeprefix(PREFIX)))
            for minute in sorted(counted.minutes if counted else (), reverse=True):
                until = min(minute + MINUTE, end)
                if counted is not None and start < until and minute < end:
                    for key, count in counted.minutes[minute].items():
                        found.setdefault(key, []).append(Point(minute, until, count))
        for (labels, resource, more), points in found.items():
            yield Series(kind, "DELTA", "INT64", dict(labels), resource, dict(more), tuple(points), "1")

    def _count(self, entry: Json) -> None:
        """In the log's own thread: count an entry that was written."""
        project = str(entry["logName"]).split("/")[1]
        now = int(time.time()) // MINUTE * MINUTE
        with self._lock:
            for (owner, _), counted in self._counted.items():
                if owner == project and counted.query.matches(entry):
                    counter = counted.minutes.setdefault(now, Counter())
                    counter[_labels(entry, counted.labels)] += 1
                    for old in [each for each in counted.minutes if each < now - KEPT * MINUTE]:
                        del counted.minutes[old]

    def _save(self, project: str, given: Json, created: str) -> Json:
        name = given.get("name", "")
        if not _NAME.fullmatch(name) or name.startswith("/"):
            raise _bad("metric.name", f"Invalid metric name {name[:100]!r}.")
        if not given.get("filter"):
            raise _bad("metric.filter", "A metric must have a filter.")
        if given.get("valueExtractor"):
            raise _bad("metric.value_extractor", "Distribution metrics are not served by the local cloud.")
        kind = f"{PREFIX}{name}"
        extractors = given.get("labelExtractors", {})
        made: Json = {
            **given,
            "resourceName": _key(project, name),
            "createTime": created,
            "updateTime": timestamp(),
            "version": "V2",
            "metricDescriptor": {
                "name": f"projects/{project}/metricDescriptors/{kind}",
                "type": kind,
                "metricKind": "DELTA",
                "valueType": "INT64",
                "unit": "1",
                "description": given.get("description", ""),
                "labels": [{"key": key, "valueType": "STRING"} for key in extractors],
            },
        }
        self._watch(project, made)
        return self._documents.put(_key(project, name), made)

    def _watch(self, project: str, body: Json) -> None:
        """Count from now on. Raises ApiError, 400."""
        labels = {key: _path(text) for key, text in body.get("labelExtractors", {}).items()}
        query = Query(body["filter"])
        with self._lock:
            if body.get("disabled"):
                self._counted.pop((project, body["name"]), None)
            else:
                self._counted[project, body["name"]] = _Counted(query, labels)

    def _find(self, full_name: str) -> Json:
        project, name = _parts(full_name)
        found = self._documents.get(_key(project, name))
        if found is None:
            raise not_found(f"Metric {name[:100]} does not exist.")
        return found


def _labels(entry: Json, extractors: Mapping[str, tuple[str, ...]]) -> _Key:
    made = ((key, str(next(values(entry, path), ""))) for key, path in extractors.items())
    resource = entry["resource"]
    return tuple(made), resource["type"], tuple(sorted(resource.get("labels", {}).items()))


def _path(text: str) -> tuple[str, ...]:
    found = _EXTRACT.fullmatch(text.strip())
    if found is None:
        raise _bad(
            "metric.label_extractors", f"Only EXTRACT(field) is served by the local cloud: {text[:80]!r}."
        )
    return tuple(part.strip('"') for part in re.findall(r'"[^"]*"|[^."]+', found[1]))


def _key(project: str, name: str) -> str:
    return f"projects/{project}/metrics/{quote(name, safe='')}"


def _parts(full_name: str) -> tuple[str, str]:
    return project_of(full_name), unquote(full_name.split("/", 3)[3])


def _bad(where: str, text: str) -> ApiError:
    return invalid(text, [(where, text)])
