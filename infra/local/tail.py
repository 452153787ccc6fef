"""`python -m infra.local logs`: asks the cloud's Logging API, as any client would, and prints what comes."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from infra.local.page.lines import line

_POLL = 0.5  # seconds
_PAGE = 1000


class NoLogs(Exception):
    """The cloud did not answer the question; the text says why."""


def narrowed(service: str, severity: str, more: str) -> str:
    """A filter in Logging's query language; "" stands for any."""
    parts = []
    if service:
        quoted = json.dumps(service)
        parts.append(f"(resource.labels.service_name={quoted} OR resource.labels.job_name={quoted})")
    if severity:
        parts.append(f"severity>={severity}")
    if more:
        parts.append(f"({more})")
    return " AND ".join(parts)


def newest(endpoint: str, projects: list[str], wanted: str, limit: int) -> list[dict[str, Any]]:
    """The newest entries that match, oldest first. Raises NoLogs."""
    body = {"filter": wanted, "orderBy": "timestamp desc", "pageSize": limit}
    return _ask(endpoint, projects, body)[::-1]


def follow(
    endpoint: str, projects: list[str], wanted: str, after: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Entries that come after those of `after`, for ever. Raises NoLogs."""
    seen = {entry["insertId"] for entry in after}
    since = after[-1]["timestamp"] if after else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    while True:
        clause = f'timestamp>="{since}"'
        found = _ask(endpoint, projects, {"filter": f"{wanted} AND {clause}" if wanted else clause})
        for entry in found:
            if entry["insertId"] not in seen:
                yield entry
        if found:
            since = found[-1]["timestamp"]
            seen = {entry["insertId"] for entry in found if entry["timestamp"] == since} | seen
        time.sleep(_POLL)


def text(entry: dict[str, Any]) -> str:
    """One line of the terminal."""
    shown = line(entry)
    mark = "" if shown.severity == "DEFAULT" else f"{shown.severity} "
    return f"{shown.time} {shown.source} {mark}{shown.text}"


def _ask(endpoint: str, projects: list[str], body: dict[str, Any]) -> list[dict[str, Any]]:
    names = [f"projects/{project}" for project in projects]
    question = {"pageSize": _PAGE, "orderBy": "timestamp asc", **body, "resourceNames": names}
    try:
        answer = httpx.post(f"{endpoint}/v2/entries:list", json=question, timeout=30, trust_env=False)
    except httpx.HTTPError as error:
        raise NoLogs(f"the cloud at {endpoint} does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise NoLogs(answer.json()["error"]["message"])
    found: list[dict[str, Any]] = answer.json().get("entries", [])
    return found
