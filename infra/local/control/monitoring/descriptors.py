"""monitoring.v3: metric descriptors, Cloud Run's own and those of metrics that programs write."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from infra.local.api.discovery import Request
from infra.local.api.errors import ApiError, invalid, not_found
from infra.local.control.documents import Documents, Json, page_of
from infra.local.control.monitoring.custom import Points
from infra.local.control.monitoring.logged import LogMetrics
from infra.local.control.monitoring.names import project_of
from infra.local.control.monitoring.query import Filter, bad
from infra.local.control.monitoring.series import Series
from infra.local.state import Store
from infra.local.traffic.metrics import DESCRIPTORS, RESOURCE, Descriptor

PREFIXES = ("custom.googleapis.com/", "external.googleapis.com/", "workload.googleapis.com/")
_TYPE = re.compile(r"[a-z0-9.-]+/[A-Za-z0-9_./-]{1,150}")
_KINDS = ("GAUGE", "DELTA", "CUMULATIVE")
_TYPES = ("BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION")
_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}")


class Descriptors:
    """The methods on metric descriptors."""

    def __init__(self, store: Store, points: Points, logged: LogMetrics) -> None:
        self._logged = logged
        self._documents = Documents(store, "metric-descriptor")
        self._points = points

    async def create(self, request: Request) -> Json:
        """A descriptor, new or in place of an older one."""
        project = project_of(request.parameters["name"])
        given = request.body
        _check(given)
        made = {**given, "name": _name(project, given["type"])}
        made.setdefault("unit", "1")
        made["monitoredResourceTypes"] = ["global", "generic_task", "cloud_run_revision", "cloud_run_job"]
        return self._documents.put(_key(project, made["type"]), made)

    async def get(self, request: Request) -> Json:
        """The descriptor."""
        project = project_of(request.parameters["name"])
        found = self.find(project, _type_of(request.parameters["name"]))
        if found is None:
            raise _missing(_type_of(request.parameters["name"]))
        return found

    async def list(self, request: Request) -> Json:
        """The descriptors whose type a filter is about."""
        project = project_of(request.parameters["name"])
        wanted = Filter(request.parameters.get("filter", ""))
        found = [
            each
            for each in self.all(project)
            if wanted.matches(Series(each["type"], "", "", {}, RESOURCE, {"project_id": project}))
        ]
        return page_of(found, request.parameters, "metricDescriptors", 10_000)

    async def delete(self, request: Request) -> None:
        """Forget a descriptor of a program's own, with all of its points."""
        project, kind = project_of(request.parameters["name"]), _type_of(request.parameters["name"])
        if self._documents.get(_key(project, kind)) is None:
            raise _missing(kind)
        self._documents.remove(_key(project, kind))
        self._points.remove(project, kind)

    def find(self, project: str, kind: str) -> Json | None:
        """The descriptor of a metric type."""
        built_in = DESCRIPTORS.get(kind)
        if built_in is not None:
            return _built_in(project, built_in)
        logged = (each for each in self._logged.descriptors(project) if each["type"] == kind)
        return next(logged, None) or self._documents.get(_key(project, kind))

    def make(self, project: str, series: Series) -> Json:
        """The descriptor for a series that is written; made up when there is none, as Google does."""
        found = self.find(project, series.metric)
        if found is not None:
            return found
        made: Json = {
            "name": _name(project, series.metric),
            "type": series.metric,
            "metricKind": series.kind,
            "valueType": series.value_type,
            "labels": [{"key": key, "valueType": "STRING"} for key in series.labels],
            "description": "Auto created custom metric.",
        }
        _check(made)
        return self._documents.put(_key(project, series.metric), made)

    def all(self, project: str) -> Iterator[Json]:
        """All descriptors of a project."""
        for each in DESCRIPTORS.values():
            yield _built_in(project, each)
        yield from self._logged.descriptors(project)
        yield from self._documents.all(f"projects/{project}")


def _name(project: str, kind: str) -> str:
    return f"projects/{project}/metricDescriptors/{kind}"


def _key(project: str, kind: str) -> str:
    # A store takes the last two segments of a name for its own, and a metric's type has slashes in it.
    return _name(project, quote(kind, safe=""))


def _type_of(name: str) -> str:
    return unquote(name.partition("/metricDescriptors/")[2])


def _missing(kind: str) -> ApiError:
    return not_found(f"Could not find descriptor for metric '{kind[:200]}'.")


def _built_in(project: str, descriptor: Descriptor) -> Json:
    return {
        "name": _name(project, descriptor.type),
        "type": descriptor.type,
        "metricKind": descriptor.kind,
        "valueType": descriptor.value_type,
        "unit": descriptor.unit,
        "displayName": descriptor.display_name,
        "description": descriptor.description,
        "labels": [{"key": key, "valueType": "STRING"} for key in descriptor.labels],
        "launchStage": "GA",
        "monitoredResourceTypes": [RESOURCE],
    }


def _check(given: Json) -> None:
    kind = given.get("type", "")
    if not kind.startswith(PREFIXES) or not _TYPE.fullmatch(kind):
        why = f"The metric type must be a URL-formatted string that begins with {' or '.join(PREFIXES)}."
        raise bad("metricDescriptor.type", kind, why)
    if given.get("metricKind") not in _KINDS:
        raise bad("metricDescriptor.metricKind", str(given.get("metricKind", "")), "It must be specified.")
    if given.get("valueType") not in _TYPES:
        raise bad("metricDescriptor.valueType", str(given.get("valueType", "")), "It must be specified.")
    if given["valueType"] == "DISTRIBUTION":
        text = "Distributions that programs write are not served by the local cloud."
        raise invalid(text, [("metricDescriptor.valueType", text)])
    for each in given.get("labels", ()):
        if not _LABEL.fullmatch(each.get("key", "")):
            raise bad("metricDescriptor.labels", each.get("key", ""), "The label key is invalid.")
