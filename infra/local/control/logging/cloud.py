"""Methods of logging.v2, on entries and on logs.

https://cloud.google.com/logging/docs/reference/v2/rest
"""

import base64
import re
from typing import Any
from urllib.parse import unquote

import anyio.to_thread

from infra.local.api import Api, Request
from infra.local.api.errors import ApiError, invalid, not_found
from infra.local.control.logging.entry import Json, now
from infra.local.control.logging.journal import Place
from infra.local.control.logging.logs import Logs
from infra.local.control.logging.query import Query
from infra.local.control.logging.times import SECOND, nanoseconds, rfc3339
from infra.local.control.names import check_project

HOST = "logging.googleapis.com"
DEFAULT_PAGE, MAX_PAGE = 50, 1000
MAX_ENTRY = 256 << 10
_LOG_NAME = re.compile(r"projects/([^/]+)/logs/([\w.~%-]{1,511})", re.ASCII)
_RESOURCE = re.compile(r"projects/([^/]+)(?:/locations/[^/]+/buckets/[^/]+/views/[^/]+)?")
_TOKEN = re.compile(r"([da])(\d{1,19}):(\d{1,19})")
_AHEAD = 24 * 3600 * SECOND


class Logging:
    """Cloud Logging over what `logs` has."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def serve(self, api: Api) -> None:
        """Answer Logging's methods."""
        api.serve("logging.v2.entries", _Entries(self._logs))
        for service in ("logging.v2.projects.logs", "logging.v2.logs"):
            api.serve(service, _Names(self._logs))


class _Entries:
    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    async def list(self, request: Request) -> Json:
        """entries.list."""
        body = request.body
        projects = _projects(body)
        order = body.get("orderBy", "").strip() or "timestamp asc"
        if order not in {"timestamp asc", "timestamp desc", "timestamp"}:
            raise _bad("order_by", f"Invalid order_by: {order[:80]!r}.")
        newest_first = order.endswith("desc")
        after = _place(body.get("pageToken", ""), newest_first=newest_first)
        query = Query(body.get("filter", ""))

        def read() -> Any:
            return self._logs.page(projects, query, _size(body), after, newest_first=newest_first)

        found = await anyio.to_thread.run_sync(read)
        answer: Json = {"entries": list(found.entries)} if found.entries else {}
        if found.after is not None:
            answer["nextPageToken"] = _token(found.after, newest_first=newest_first)
        return answer

    async def write(self, request: Request) -> None:
        """entries.write."""
        body = request.body
        made: list[Json] = []
        failure: ApiError | None = None
        for index, given in enumerate(body.get("entries", ())):
            try:
                made.append(_entry(given, body, f"entries[{index}]"))
            except ApiError as error:
                if not body.get("partialSuccess"):
                    raise
                failure = error
        if body.get("dryRun"):
            return
        for entry in made:
            self._logs.add(entry)
        if failure is not None:
            raise failure


class _Names:
    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    async def list(self, request: Request) -> Json:
        """logs.list."""
        project = _project(request.parameters["parent"], "parent")
        size = _size({"pageSize": request.parameters.get("pageSize", 0)})
        token = request.parameters.get("pageToken", "")
        names = await anyio.to_thread.run_sync(self._logs.logs, project)
        rest = [name for name in names if name > _decoded(token)] if token else names
        answer: Json = {"logNames": rest[:size]} if rest else {}
        if len(rest) > size:
            answer["nextPageToken"] = _encoded(rest[size - 1])
        return answer

    async def delete(self, request: Request) -> None:
        """logs.delete: with its entries."""
        # The path has been decoded, and a log's name is kept as it was written.
        parts = request.parameters["logName"].split("/", 3)
        project = _project("/".join(parts[:2]), "log_name")
        names = await anyio.to_thread.run_sync(self._logs.logs, project)
        wanted = unquote(parts[3])
        for name in names:
            if unquote(name.split("/", 3)[3]) == wanted:
                await anyio.to_thread.run_sync(self._logs.delete, project, name)
                return
        raise not_found(f"Log {wanted[:200]} does not exist")


def _entry(given: Json, common: Json, where: str) -> Json:
    """An entry with what the request says of all of them. Raises ApiError, 400."""
    log = given.get("logName") or common.get("logName", "")
    found = _LOG_NAME.fullmatch(log)
    if found is None:
        raise _bad(f"{where}.log_name", f"Log name {log[:200]!r} is not of the form projects/P/logs/LOG_ID.")
    check_project(found[1], HOST)
    resource = given.get("resource") or common.get("resource")
    if not resource or not resource.get("type"):
        raise _bad(f"{where}.resource", "A monitored resource must be specified for each log entry.")
    payloads = [name for name in ("textPayload", "jsonPayload", "protoPayload") if name in given]
    if len(payloads) > 1:
        raise _bad(where, f"Only one payload can be set: {', '.join(payloads)}.")
    if len(str(given)) > MAX_ENTRY:
        raise _bad(where, f"Log entry with size {len(str(given))} exceeds maximum size of {MAX_ENTRY}.")
    moment = now()
    when = nanoseconds(given["timestamp"]) if "timestamp" in given else moment
    if when is None or not 0 <= when <= moment + _AHEAD:
        raise _bad(f"{where}.timestamp", "A log entry's timestamp is out of range: more than 24 hours ahead.")
    entry = {**given, "logName": log, "resource": resource, "timestamp": rfc3339(when)}
    if labels := {**common.get("labels", {}), **given.get("labels", {})}:
        entry["labels"] = labels
    if entry.get("severity") == "DEFAULT":
        del entry["severity"]
    if not entry.get("insertId"):
        entry.pop("insertId", None)
    return entry


def _projects(body: Json) -> list[str]:
    names = [*body.get("resourceNames", ()), *(f"projects/{each}" for each in body.get("projectIds", ()))]
    if not names:
        raise _bad("resource_names", "At least one resource name must be specified.")
    if len(names) > 100:
        raise _bad("resource_names", "At most 100 resource names can be specified.")
    return list(dict.fromkeys(_project(name, "resource_names") for name in names))


def _project(name: str, field: str) -> str:
    found = _RESOURCE.fullmatch(name)
    if found is None:
        raise _bad(field, f"Invalid resource name {name[:200]!r}: the local cloud has projects alone.")
    check_project(found[1], HOST)
    return found[1]


def _size(body: Json) -> int:
    size = int(body.get("pageSize", 0))
    if size < 0:
        raise _bad("page_size", "The page size must not be negative.")
    return min(size or DEFAULT_PAGE, MAX_PAGE)


def _token(place: Place, *, newest_first: bool) -> str:
    return _encoded(f"{'d' if newest_first else 'a'}{place.time}:{place.serial}")


def _place(token: str, *, newest_first: bool) -> Place | None:
    if not token:
        return None
    found = _TOKEN.fullmatch(_decoded(token))
    if found is None or (found[1] == "d") != newest_first or max(int(found[2]), int(found[3])) >= 1 << 63:
        raise _bad("page_token", "page_token doesn't match arguments from the request")
    return Place(int(found[2]), int(found[3]))


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise _bad("page_token", "page_token doesn't match arguments from the request") from None


def _bad(field: str, text: str) -> ApiError:
    return invalid(text, [(field, text)])
