"""From what the runtime and the proxy say to Logging's entries, as Cloud Run's agent makes them.

https://cloud.google.com/run/docs/logging#special-fields-in-messages
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from infra.local.control.logging.severity import severity
from infra.local.control.logging.times import nanoseconds, rfc3339
from infra.local.runtime.contract import LogEntry

Json = dict[str, Any]
_LOGS = {"system": "varlog/system"}
_PREFIX = "logging.googleapis.com/"
_REQUEST = ("httpRequest", "spanId", "traceSampled")


def from_runtime(entry: LogEntry) -> Json:
    """The entry, without the members that only the store knows: insertId, receiveTimestamp."""
    resource, labels = _resource(entry.resource)
    project = resource["labels"]["project_id"]
    log = quote(f"run.googleapis.com/{_LOGS.get(entry.stream, entry.stream)}", safe="")
    made: Json = {
        "logName": f"projects/{project}/logs/{log}",
        "resource": resource,
        "timestamp": rfc3339(int(entry.time * 1_000_000) * 1000),
    }
    payload = dict(entry.payload or {})
    if entry.stream in {"requests", "system"}:
        made |= {name: payload.pop(name) for name in _REQUEST if name in payload}
        if instance := payload.pop("instanceId", None):
            labels["instanceId"] = str(instance)
        if entry.text:
            made["textPayload"] = entry.text
    elif entry.payload is None:
        made["textPayload"] = entry.text
    else:
        _take_special(payload, made, labels)
        made["jsonPayload"] = payload
    level = severity(entry.severity)
    if level != "DEFAULT":
        made["severity"] = level
    if entry.trace:
        made["trace"] = entry.trace
    if labels:
        made["labels"] = labels
    return made


def _resource(name: str) -> tuple[Json, dict[str, str]]:
    """The monitored resource of a revision's or a task's name, and labels that only a task has."""
    parts = name.split("/")
    pairs = dict(zip(parts[::2], parts[1::2], strict=False))
    labels = {"project_id": pairs.get("projects", ""), "location": pairs.get("locations", "")}
    if "jobs" in pairs:
        labels["job_name"] = pairs["jobs"]
        task = pairs.get("tasks", "")
        index = task.rpartition("-task")[2]
        more = {
            "run.googleapis.com/execution_name": pairs.get("executions", ""),
            "run.googleapis.com/task_index": index if index.isdecimal() else "0",
        }
        return {"type": "cloud_run_job", "labels": labels}, more
    service = pairs.get("services", "")
    labels |= {
        "service_name": service,
        "configuration_name": service,
        "revision_name": pairs.get("revisions", ""),
    }
    return {"type": "cloud_run_revision", "labels": labels}, {}


def _take_special(payload: Json, made: Json, labels: dict[str, str]) -> None:
    """Move what a program said about its entry from the payload to where it belongs."""
    if isinstance(payload.get(f"{_PREFIX}labels"), Mapping):
        given = payload.pop(f"{_PREFIX}labels")
        labels.update({str(key): str(value) for key, value in given.items()})
    for name, member in (("insertId", "insertId"), ("spanId", "spanId")):
        if isinstance(payload.get(f"{_PREFIX}{name}"), str):
            made[member] = payload.pop(f"{_PREFIX}{name}")
    if isinstance(payload.get(f"{_PREFIX}trace_sampled"), bool):
        made["traceSampled"] = payload.pop(f"{_PREFIX}trace_sampled")
    for name in ("operation", "sourceLocation"):
        if isinstance(payload.get(f"{_PREFIX}{name}"), dict):
            made[name] = {key: value for key, value in payload.pop(f"{_PREFIX}{name}").items() if value}
    if isinstance(payload.get("httpRequest"), dict):
        made["httpRequest"] = payload.pop("httpRequest")
    for name in ("timestamp", "time"):
        said = payload.get(name)
        when = nanoseconds(said) if isinstance(said, str) and "T" in said else None
        if when is not None and 0 <= when < 1 << 62:
            made["timestamp"] = rfc3339(when)
            del payload[name]
            break


def now() -> int:
    """This moment, in nanoseconds since the epoch."""
    return time.time_ns() // 1000 * 1000
