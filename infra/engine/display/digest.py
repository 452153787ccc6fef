"""``preview --json``: all that a preview foretells, as one document (display.PreviewDigest)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from infra.engine.display.events import (
    DiagnosticEvent,
    Event,
    PreludeEvent,
    ResourcePreEvent,
    Step,
    SummaryEvent,
)
from infra.engine.display.options import Options, is_shown
from infra.engine.state import gojson, serialize
from infra.engine.state.model import Resource, Snapshot
from infra.engine.state.properties import COMPUTED
from infra.engine.values import Output, Properties, Secret, Unknown, Value


class Digest:
    """Collects events; ``text`` is the document, once the states before and after are known."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._config: dict[str, str] = {}
        self._steps: list[Step] = []
        self._diagnostics: list[dict[str, Any]] = []
        self._summary: SummaryEvent | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case PreludeEvent():
                self._config = dict(event.config)
            case ResourcePreEvent() if is_shown(event.metadata, self._options):
                self._steps.append(event.metadata)
            case DiagnosticEvent() if event.severity != "debug" or self._options.debug:
                about = {"urn": event.urn} if event.urn else {}
                message = {"message": event.prefix + event.message, "severity": event.severity}
                self._diagnostics.append(about | message)
            case SummaryEvent():
                self._summary = event

    def text(self, before: Snapshot | None, after: Snapshot, seconds: float) -> str:
        """The document."""
        olds = {
            resource.urn: resource for resource in (before.resources if before else ()) if not resource.delete
        }
        news = {resource.urn: resource for resource in after.resources if not resource.delete}
        document: dict[str, Any] = {"config": dict(sorted(self._config.items()))} if self._config else {}
        if self._steps:
            document["steps"] = [_step(step, olds.get(step.urn), news.get(step.urn)) for step in self._steps]
        if self._diagnostics:
            document["diagnostics"] = self._diagnostics
        document["duration"] = int(seconds * 1e9)
        changes = self._summary.resource_changes if self._summary else {}
        document["changeSummary"] = {op: changes[op] for op in sorted(changes) if changes[op]}
        return gojson.dumps(document, indent=4, escape_html=True)


def _step(step: Step, old: Resource | None, new: Resource | None) -> dict[str, Any]:
    result: dict[str, Any] = {"op": step.op, "urn": step.urn}
    if step.provider:
        result["provider"] = step.provider
    if step.old is not None and old is not None:
        result["oldState"] = _state(old)
    if step.new is not None and new is not None:
        result["newState"] = _state(_planned(step.op, new, old if step.op != "create" else None))
    if step.diffs:
        result["diffReasons"] = list(step.diffs)
    if step.keys:
        result["replaceReasons"] = list(step.keys)
    detailed = step.detailed_diff
    result["detailedDiff"] = (
        None
        if detailed is None
        else {
            path: {"kind": detailed[path].kind, "inputDiff": detailed[path].input_diff}
            for path in sorted(detailed)
        }
    )
    return result


def _planned(op: str, new: Resource, old: Resource | None) -> Resource:
    """A resource as it is when its step is foretold: before it has outputs, and as old as it was."""
    if op == "refresh":
        return new
    if op != "same":
        new = replace(new, id="")
    created, modified = (old.created, old.modified) if old else ("", "")
    return replace(new, outputs={}, created=created, modified=modified)


def _state(resource: Resource) -> dict[str, Any]:
    blind = replace(resource, inputs=_blind_all(resource.inputs), outputs=_blind_all(resource.outputs))
    return serialize.resource_json(blind, None)


def _blind_all(properties: Properties) -> Properties:
    return {key: _blind(value) for key, value in properties.items()}


def _blind(value: Value) -> Value:
    match value:
        case Secret():
            return "[secret]"
        case Unknown():
            return COMPUTED
        case Output():
            return "[secret]" if value.secret else _blind(value.element) if value.known else COMPUTED
        case dict():
            return _blind_all(value)
        case list():
            return [_blind(item) for item in value]
    return value
