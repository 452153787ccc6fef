"""``pulumi logs``: what the stack's services and jobs wrote, wherever they run."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line.text import json_text
from infra.engine.commands.session import snapshot_of
from infra.engine.deploy import urns
from infra.engine.state.model import Resource, Snapshot
from infra.engine.values import Properties

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.providers.gcp.logs import Entry, Source

_PAUSE_SECONDS = 1.0
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def show(call: Invocation) -> None:
    """Print the log from ``--since`` on and, with ``--follow``, go on as it grows."""
    since = moment(call.flags["since"], datetime.now(UTC))
    snapshot = snapshot_of(call, call.stack, None)
    sources = list(_sources(snapshot, call.flags["resource"]))
    if not call.json:
        shown = since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        print(f"Collecting logs for stack {call.shown(call.stack)} since {shown}.\n", flush=True)
    told: set[tuple[str, str]] = set()
    while True:
        fresh = [entry for entry in _collected(sources, since) if (entry.source, entry.id) not in told]
        told |= {(entry.source, entry.id) for entry in fresh}
        if call.json and not call.flags["follow"]:
            print(json_text([_document(entry) for entry in fresh]))
        else:
            for entry in fresh:
                print(json_text(_document(entry)) if call.json else _line(entry))
        sys.stdout.flush()
        if not call.flags["follow"]:
            return
        time.sleep(_PAUSE_SECONDS)


def moment(text: str, now: datetime) -> datetime:
    """When ``--since`` is: so long before ``now`` (``5s``, ``1h30m``), or a time. Raises ExitError."""
    if text and not _DURATION.sub("", text):
        return now - timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in _DURATION.findall(text)))
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise ExitError(
            "failed to parse argument to '--since' as duration or timestamp: "
            f"{text!r} is neither, such as 5s, 2m, 3h or 2026-01-31T12:00:00Z"
        ) from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _sources(snapshot: Snapshot, wanted: str) -> Iterator[tuple[Source, Properties]]:
    """The services and jobs that are wanted (all, for an empty name), each with its provider's inputs."""
    from infra.engine.providers.gcp.logs import SOURCES, Source

    providers = {urns.reference(each.urn, each.id): each.inputs for each in snapshot.resources}
    chosen = [each for each in snapshot.resources if not each.delete and _matches(each, wanted, snapshot)]
    if wanted and not chosen:
        raise ExitError(f"no resource '{wanted}' in the stack; `pulumi stack --show-urns` lists them")
    for each in chosen:
        if each.type in SOURCES:
            names = (each.outputs.get("project"), each.outputs.get("name"))
            project, name = (str(value) for value in names)
            yield Source(each.type, project, name), providers.get(each.provider, {})


def _matches(resource: Resource, wanted: str, snapshot: Snapshot) -> bool:
    """Whether the resource, or a component that it is in, is named by ``wanted``."""
    if not wanted:
        return True
    parents = {each.urn: each.parent for each in snapshot.resources}
    urn = resource.urn
    while urn:
        name = urns.name_of(urn)
        if wanted in {urn, name, f"{urns.type_of(urn)}::{name}"}:
            return True
        urn = parents.get(urn, "")
    return False


def _collected(sources: list[tuple[Source, Properties]], since: datetime) -> list[Entry]:
    import anyio

    from infra.engine.providers.contract import ProviderError
    from infra.engine.providers.gcp import logs

    async def collect() -> list[Entry]:
        after = since.isoformat().replace("+00:00", "Z")
        return [
            entry for source, provider in sources async for entry in logs.entries(provider, source, after)
        ]

    try:
        return sorted(anyio.run(collect), key=lambda entry: entry.timestamp)
    except ProviderError as error:
        raise ExitError(f"failed to get logs: {error}") from error


def _document(entry: Entry) -> dict[str, str]:
    return {"ID": entry.source, "Timestamp": entry.timestamp, "Message": entry.message}


def _line(entry: Entry) -> str:
    return f"{entry.timestamp:>30.30}[{entry.source:>30.30}] {entry.message.rstrip()}"
