"""Entries of Cloud Logging as lines for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a container printed, a request, or what became of an instance."""

    time: str
    severity: str
    source: str
    stream: str
    text: str


def line(entry: Mapping[str, Any]) -> LogLine:
    """The line of an entry in the form that Logging's API has; `time` is local, to the millisecond."""
    labels: Mapping[str, str] = entry.get("resource", {}).get("labels", {})
    moment = datetime.fromisoformat(entry["timestamp"]).astimezone()
    return LogLine(
        moment.strftime("%H:%M:%S.%f")[:-3],
        entry.get("severity", "DEFAULT"),
        labels.get("revision_name") or labels.get("job_name") or labels.get("service_name", ""),
        unquote(entry.get("logName", "")).rpartition("/")[2],
        _text(entry),
    )


def _text(entry: Mapping[str, Any]) -> str:
    if request := entry.get("httpRequest"):
        size = request.get("responseSize", "0")
        asked = f"{request.get('requestMethod', '')} {request.get('requestUrl', '')}"
        return f"{asked} {request.get('status', '')} {size} B {request.get('latency', '')}"
    if "textPayload" in entry:
        return str(entry["textPayload"])
    payload = entry.get("jsonPayload", {})
    message = payload.get("message")
    return message if isinstance(message, str) else json.dumps(payload, ensure_ascii=False)
