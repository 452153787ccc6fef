"""What services and jobs on Cloud Run wrote, of Cloud Logging (``pulumi logs``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from infra.engine.providers.contract import ProviderError
from infra.engine.providers.gcp.client import Client, Request
from infra.engine.providers.gcp.configuration import Configuration
from infra.engine.values import Properties

SOURCES: Final = {
    "gcp:cloudrunv2/service:Service": ("cloud_run_revision", "service_name"),
    "gcp:cloudrunv2/job:Job": ("cloud_run_job", "job_name"),
}
"""Types of resources that write logs, and what Cloud Logging calls what runs them."""
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """A service or a job: its type in Pulumi, its project and its name in the cloud."""

    type: str
    project: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log of ``source``; ``timestamp`` is RFC 3339, ``id`` unique within the project."""

    source: str
    id: str
    timestamp: str
    message: str


async def entries(provider: Properties, source: Source, since: str) -> AsyncIterator[Entry]:
    """The entries of ``source`` from ``since`` (RFC 3339) on, in order; ``provider`` is its inputs.

    Raises ProviderError when the log can't be read.
    """
    resource, label = SOURCES[source.type]
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{source.project}"],
        "filter": (
            f'resource.type="{resource}" AND resource.labels.{label}="{source.name}" AND timestamp>="{since}"'
        ),
        "orderBy": "timestamp asc",
        "pageSize": _PAGE,
    }
    client = Client(Configuration.read(provider))
    try:
        while True:
            answer = await client.call(Request("logging", "POST", "entries:list", body))
            for entry in answer.get("entries") or ():
                yield Entry(source.name, str(entry.get("insertId", "")), entry["timestamp"], _message(entry))
            if not answer.get("nextPageToken"):
                return
            body["pageToken"] = answer["nextPageToken"]
    except TimeoutError as error:
        raise ProviderError(f"the log of {source.name} was not answered in time") from error
    finally:
        await client.close()


def _message(entry: dict[str, Any]) -> str:
    """A line for people: the text, what a structured entry calls its message, or all of it."""
    if "textPayload" in entry:
        return str(entry["textPayload"])
    payload = entry.get("jsonPayload")
    if isinstance(payload, dict):
        from infra.engine.state import gojson

        text = payload.get("message")
        return str(text) if text else gojson.dumps(payload)
    request = entry.get("httpRequest") or {}
    return " ".join(
        str(request[key]) for key in ("requestMethod", "requestUrl", "status") if request.get(key)
    )
