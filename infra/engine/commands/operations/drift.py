"""``pulumi drift``: what was changed by hand since the last update, for a scheduled check."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.engine.commands.line.text import json_text, table
from infra.engine.commands.operations.operate import perform, request_for
from infra.engine.commands.session import open_session
from infra.engine.display.events import DiagnosticEvent, Event, ResOutputsEvent, Step
from infra.engine.display.objects import is_same, primitive

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

DRIFTED = 1
FAILED = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One property (empty: the whole resource) that is not as the state has it."""

    urn: str
    property: str
    recorded: Any
    found: Any


def drift(call: Invocation) -> int:
    """Read the cloud and compare: exit code 0 for no difference, 1 for some, 2 if it could not be told."""
    session = open_session(call)
    request = request_for(call, session, "preview", "refresh", None)
    changes: list[Change] = []

    def look(event: Event) -> None:
        if isinstance(event, ResOutputsEvent):
            changes.extend(_changes(event.metadata))
        elif isinstance(event, DiagnosticEvent) and event.severity in {"error", "warning"}:
            print(f"{event.prefix}{event.message}", end="", file=sys.stderr)

    outcome = perform(call, session, request, [look])
    if outcome.result != "succeeded":
        return FAILED
    shown = call.shown(session.stack)
    if call.json:
        entries = [
            {"urn": c.urn, "property": c.property, "recorded": c.recorded, "found": c.found} for c in changes
        ]
        print(json_text({"stack": shown, "drifted": bool(changes), "changes": entries}))
    elif changes:
        rows = [
            (c.urn.split("::")[-1], c.property or "-", _cell(c.recorded), _cell(c.found)) for c in changes
        ]
        print(table(("RESOURCE", "PROPERTY", "RECORDED", "FOUND"), rows))
        print(
            f"\n{len({c.urn for c in changes})} resource(s) of stack {shown} were changed by hand:"
            " `pulumi up` makes"
            " them as the program says, `pulumi refresh` takes them as they are"
        )
    else:
        print(f"No drift: stack {shown} is as it was left.")
    return DRIFTED if changes else 0


def _changes(step: Step) -> list[Change]:
    if step.op == "delete" or (step.old is not None and step.new is None):
        return [Change(step.urn, "", "there", "gone")]
    if step.op not in {"update", "refresh"} or step.old is None or step.new is None:
        return []
    return list(_differences(step.urn, "", dict(step.old.outputs), dict(step.new.outputs)))


def _differences(urn: str, path: str, old: Any, new: Any) -> list[Change]:
    if is_same(old, new):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(key for key in {*old, *new} if not key.startswith("__"))
        return [
            change
            for key in keys
            for change in _differences(urn, f"{path}.{key}" if path else key, old.get(key), new.get(key))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [c for place, (a, b) in pairs for c in _differences(urn, f"{path}[{place}]", a, b)]
    return [Change(urn, path, old, new)]


def _cell(value: Any) -> str:
    from infra.engine.state import gojson

    text = gojson.dumps(value) if isinstance(value, dict | list) else primitive(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
