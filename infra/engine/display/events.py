"""Engine events, named and shaped as apitype.EngineEvent: what the event log and ``--json`` are made of.

An event's JSON is ``{"sequence": n, "timestamp": seconds, "<kind>": {...}}``
(sdk/go/common/apitype/events.go). Property bags in events are plain JSON: secrets are blinded as
``[secret]`` before an event is made, unless they were asked for; the log has them as what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from infra.engine.values import signatures

Severity = Literal["debug", "info", "info#err", "warning", "error"]
Result = Literal["succeeded", "failed", "canceled"]


class Blinded(str):
    """The text that stands for a secret, told apart from the same text of a user's."""

    __slots__ = ()


BLINDED = Blinded("[secret]")


@dataclass(frozen=True, slots=True)
class StepState:
    """A resource before or after a step (StepEventStateMetadata)."""

    type: str
    urn: str
    custom: bool = False
    delete: bool = False
    id: str = ""
    parent: str = ""
    protect: bool = False
    taint: bool = False
    external: bool = False
    retain_on_delete: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    provider: str = ""
    init_errors: tuple[str, ...] = ()
    hide_diffs: tuple[tuple[str | int, ...], ...] = ()
    logged: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
    """Inputs and outputs with secrets blinded, where those above are not: no log has a secret in plain."""


@dataclass(frozen=True, slots=True)
class PropertyDiff:
    """How one property changes: ``kind`` is add, delete or update, with ``-replace`` where it forces that."""

    kind: str
    input_diff: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one resource (StepEventMetadata).

    ``keys`` are the properties that force a replacement, ``diffs`` those that change, ``detailed_diff``
    their paths (None if the provider gave none). ``logical`` is set where the program sees the step as one
    of its own.
    """

    op: str
    urn: str
    type: str
    old: StepState | None = None
    new: StepState | None = None
    keys: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    detailed_diff: Mapping[str, PropertyDiff] | None = None
    logical: bool = False
    provider: str = ""
    internal: bool = False
    """Whether it is the engine's own affair (a default provider): in the log, and not for the display."""


@dataclass(frozen=True, slots=True)
class CancelEvent:
    """The last event: the operation is over, or was cancelled."""

    key: ClassVar[str] = "cancelEvent"


@dataclass(frozen=True, slots=True)
class StdoutEvent:
    """A line for the terminal."""

    key: ClassVar[str] = "stdoutEvent"
    message: str
    color: str = "never"


@dataclass(frozen=True, slots=True)
class DiagnosticEvent:
    """A message, about the resource ``urn`` if not empty; ``ephemeral`` ones need not outlive the display.

    ``message`` ends in a line feed, as Pulumi's do; what goes on in one stream has the same ``stream_id``.
    """

    key: ClassVar[str] = "diagnosticEvent"
    message: str
    severity: Severity
    urn: str = ""
    prefix: str = ""
    color: str = "raw"
    stream_id: int = 0
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class PreludeEvent:
    """The first event: the configuration, secrets blinded."""

    key: ClassVar[str] = "preludeEvent"
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SummaryEvent:
    """The operation's sum: ``resource_changes`` counts resources by operation."""

    key: ClassVar[str] = "summaryEvent"
    resource_changes: Mapping[str, int]
    duration_seconds: int = 0
    policy_packs: Mapping[str, str] = field(default_factory=dict)
    is_preview: bool = False
    result: Result = "succeeded"
    maybe_corrupt: bool = False


@dataclass(frozen=True, slots=True)
class ResourcePreEvent:
    """A step is about to run (or, ``planning``, would)."""

    key: ClassVar[str] = "resourcePreEvent"
    metadata: Step
    planning: bool = False


@dataclass(frozen=True, slots=True)
class ResOutputsEvent:
    """A step has run, or a component's outputs are there."""

    key: ClassVar[str] = "resOutputsEvent"
    metadata: Step
    planning: bool = False


@dataclass(frozen=True, slots=True)
class ResOpFailedEvent:
    """A step has failed; a diagnostic has told why. ``status`` 0: nothing happened; 1: partly; 2: unknown."""

    key: ClassVar[str] = "resOpFailedEvent"
    metadata: Step
    status: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class PolicyEvent:
    """A policy is violated."""

    key: ClassVar[str] = "policyEvent"
    resource_urn: str
    message: str
    policy_name: str
    policy_pack_name: str
    policy_pack_version: str = ""
    policy_pack_version_tag: str = ""
    enforcement_level: Literal["warning", "mandatory", "remediate", "none"] = "mandatory"
    severity: str = ""
    color: str = "raw"


@dataclass(frozen=True, slots=True)
class PolicyLoadEvent:
    """A policy pack is being loaded."""

    key: ClassVar[str] = "policyLoadEvent"


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The engine itself is at fault."""

    key: ClassVar[str] = "errorEvent"
    error: str


Event: TypeAlias = (
    CancelEvent
    | StdoutEvent
    | DiagnosticEvent
    | PreludeEvent
    | SummaryEvent
    | ResourcePreEvent
    | ResOutputsEvent
    | ResOpFailedEvent
    | PolicyEvent
    | PolicyLoadEvent
    | ErrorEvent
)


def to_json(event: Event, sequence: int, timestamp: int) -> dict[str, Any]:
    """An event as a line of the event log holds it."""
    return {"sequence": sequence, "timestamp": timestamp, event.key: _BODIES[type(event)](event)}


def _compact(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return required | {key: value for key, value in optional.items() if value}


def is_internal(event: Event) -> bool:
    """Whether an event is about what the engine does for itself."""
    return isinstance(event, ResourcePreEvent | ResOutputsEvent) and event.metadata.internal


def _logged(value: Any) -> Any:
    """A property as the log has it: a secret as a secret that nobody can read (config.BlindingCrypter)."""
    if isinstance(value, Blinded):
        return {signatures.KEY: signatures.SECRET, "ciphertext": str(value)}
    if isinstance(value, dict):
        return {key: _logged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_logged(item) for item in value]
    return value


def _state(state: StepState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    inputs, outputs = state.logged or (state.inputs, state.outputs)
    return _compact(
        {
            "type": state.type,
            "urn": state.urn,
            "id": state.id,
            "parent": state.parent,
            "inputs": _logged(inputs),
            "outputs": _logged(outputs),
            "provider": state.provider,
        },
        {
            "custom": state.custom,
            "delete": state.delete,
            "protect": state.protect,
            "taint": state.taint,
            "external": state.external,
            "retainOnDelete": state.retain_on_delete,
            "initErrors": list(state.init_errors),
            "hideDiffs": [list(path) for path in state.hide_diffs],
        },
    )


def step_json(step: Step) -> dict[str, Any]:
    """A step as StepEventMetadata is written."""
    detailed = step.detailed_diff
    return _compact(
        {
            "op": step.op,
            "urn": step.urn,
            "type": step.type,
            "old": _state(step.old),
            "new": _state(step.new),
            "detailedDiff": None
            if detailed is None
            else {
                path: {"diffKind": diff.kind, "inputDiff": diff.input_diff} for path, diff in detailed.items()
            },
            "provider": step.provider,
        },
        {"keys": list(step.keys), "diffs": list(step.diffs), "logical": step.logical},
    )


def _resource(event: ResourcePreEvent | ResOutputsEvent) -> dict[str, Any]:
    return _compact({"metadata": step_json(event.metadata)}, {"planning": event.planning})


def _diagnostic(event: DiagnosticEvent) -> dict[str, Any]:
    return _compact(
        {"message": event.message, "color": event.color, "severity": event.severity},
        {"urn": event.urn, "prefix": event.prefix, "streamID": event.stream_id, "ephemeral": event.ephemeral},
    )


def _summary(event: SummaryEvent) -> dict[str, Any]:
    return {
        "maybeCorrupt": event.maybe_corrupt,
        "durationSeconds": event.duration_seconds,
        "resourceChanges": dict(event.resource_changes),
        "PolicyPacks": dict(event.policy_packs),
        "isPreview": event.is_preview,
        "result": event.result,
    }


def _policy(event: PolicyEvent) -> dict[str, Any]:
    return _compact(
        {
            "message": event.message,
            "color": event.color,
            "policyName": event.policy_name,
            "policyPackName": event.policy_pack_name,
            "policyPackVersion": event.policy_pack_version,
            "policyPackVersionTag": event.policy_pack_version_tag,
            "enforcementLevel": event.enforcement_level,
        },
        {"resourceUrn": event.resource_urn, "severity": event.severity},
    )


_BODIES: dict[type, Any] = {
    CancelEvent: lambda _: {},
    StdoutEvent: lambda event: {"message": event.message, "color": event.color},
    DiagnosticEvent: _diagnostic,
    PreludeEvent: lambda event: {"config": dict(event.config)},
    SummaryEvent: _summary,
    ResourcePreEvent: _resource,
    ResOutputsEvent: _resource,
    ResOpFailedEvent: lambda event: {
        "metadata": step_json(event.metadata),
        "status": event.status,
        "steps": event.steps,
    },
    PolicyEvent: _policy,
    PolicyLoadEvent: lambda _: {},
    ErrorEvent: lambda event: {"error": event.error},
}
