"""Tells whoever watches an update what happens: events out of steps and messages."""

from __future__ import annotations

from collections import Counter
from typing import Any

from infra.engine.deploy.contract import Emit, Op, Violation
from infra.engine.deploy.steps.step import Step
from infra.engine.display import events
from infra.engine.state.model import Resource
from infra.engine.values import Output, Properties, Secret, Unknown, Value
from infra.engine.values.wire import UNKNOWN_ID, flatten, marked

_PREFIXED = frozenset({"error", "warning", "debug"})


class Report:
    """The one place where an update's events are made, and its operations counted."""

    def __init__(self, emit: Emit, planning: bool, show_secrets: bool, refresh_counts: bool) -> None:
        self._emit = emit
        self._planning = planning
        self._show_secrets = show_secrets
        self._refresh_counts = refresh_counts
        self.changes: Counter[Op] = Counter()
        self.errors = 0

    def error(self, message: str, urn: str = "") -> None:
        """Something is wrong; the operation will fail."""
        self.errors += 1
        self._diagnose("error", message, urn)

    def warning(self, message: str, urn: str = "") -> None:
        """Something may be wrong."""
        self._diagnose("warning", message, urn)

    def info(self, message: str, urn: str = "", stream: int = 0, ephemeral: bool = False) -> None:
        """Something to know."""
        self._diagnose("info", message, urn, stream, ephemeral)

    def message(
        self, severity: events.Severity, message: str, urn: str, stream: int, ephemeral: bool
    ) -> None:
        """What a program or a provider says."""
        if severity == "error":
            self.errors += 1
        self._diagnose(severity, message, urn, stream, ephemeral)

    def _diagnose(
        self, severity: events.Severity, message: str, urn: str, stream: int = 0, ephemeral: bool = False
    ) -> None:
        self._emit(
            events.DiagnosticEvent(
                message=f"{message}\n",
                severity=severity,
                urn=urn,
                prefix=f"{severity}: " if severity in _PREFIXED else "",
                color="never",
                stream_id=stream,
                ephemeral=ephemeral,
            )
        )

    def prelude(self, config: dict[str, str]) -> None:
        """The update begins."""
        self._emit(events.PreludeEvent(config=config))

    def begin(self, step: Step) -> None:
        """A step is about to run."""
        if not step.untold:
            self._emit(events.ResourcePreEvent(self._step(step, step.op), self._planning))

    def done(self, step: Step, result: Op | None = None) -> None:
        """A step has run; ``result`` is what a refresh found."""
        op = result if result is not None and self._refresh_counts else step.op
        counted = step.logical or (result is not None and self._refresh_counts)
        if step.op is Op.READ:
            counted = step.old is not None and step.new is not None and step.old.outputs != step.new.outputs
        if step.untold:
            return
        if counted and not step.hidden:
            self.changes[op] += 1
        if self._planning or step.resource.custom or step.op in (Op.DELETE, Op.REFRESH):
            self._emit(events.ResOutputsEvent(self._step(step, op), self._planning))

    def outputs(self, step: Step) -> None:
        """A component's outputs are there."""
        if not step.untold:
            self._emit(events.ResOutputsEvent(self._step(step, step.op), self._planning))

    def failed(self, step: Step, message: str, status: int) -> None:
        """A step has failed: 0, nothing happened; 1, it was done in part; 2, nobody knows."""
        urn = "" if step.hidden else step.urn
        if self._planning:
            self.error(f"Preview failed: {message}", urn)
            return
        self.error(message, urn)
        self._emit(events.ResOpFailedEvent(self._step(step, step.op), status, sum(self.changes.values())))

    def violation(self, urn: str, violation: Violation) -> None:
        """A policy is violated."""
        if violation.level == "mandatory":
            self.errors += 1
        self._emit(
            events.PolicyEvent(
                resource_urn=urn,
                message=violation.message,
                policy_name=violation.policy,
                policy_pack_name=violation.pack,
                policy_pack_version=violation.version,
                enforcement_level="mandatory" if violation.level == "mandatory" else "warning",
            )
        )

    def summary(self, seconds: float, result: events.Result) -> None:
        """The update is over."""
        self._emit(
            events.SummaryEvent(
                resource_changes={str(op): count for op, count in self.changes.items()},
                duration_seconds=round(seconds),
                is_preview=self._planning,
                result=result,
            )
        )

    def _step(self, step: Step, op: Op) -> events.Step:
        old, new = self._state(step.old), self._state(step.new)
        if step.skipped:
            old = None
        detailed = step.detailed
        return events.Step(
            op=str(op),
            urn=step.urn,
            type=step.resource.type,
            old=old,
            new=new,
            keys=step.keys,
            diffs=step.diffs,
            detailed_diff=None
            if detailed is None
            else {path: events.PropertyDiff(str(diff.kind), diff.input) for path, diff in detailed.items()},
            logical=step.logical,
            provider=step.resource.provider,
            internal=step.hidden,
        )

    def _state(self, resource: Resource | None) -> events.StepState | None:
        if resource is None:
            return None
        return events.StepState(
            type=resource.type,
            urn=resource.urn,
            custom=resource.custom,
            delete=resource.delete,
            id=resource.id,
            parent=resource.parent,
            protect=resource.protect,
            taint=resource.taint,
            external=resource.external,
            retain_on_delete=resource.retain_on_delete,
            inputs=self._shown(resource.inputs),
            outputs=self._shown(resource.outputs),
            provider=resource.provider,
            init_errors=resource.init_errors,
            hide_diffs=resource.hide_diff,
            logged=(_blinded(resource.inputs), _blinded(resource.outputs)) if self._show_secrets else None,
        )

    def _shown(self, properties: Properties) -> dict[str, Any]:
        return {key: shown(value, self._show_secrets) for key, value in properties.items()}


def _blinded(properties: Properties) -> dict[str, Any]:
    return {key: shown(value, show_secrets=False) for key, value in properties.items()}


def shown(value: Value, show_secrets: bool) -> Any:  # noqa: PLR0911 - one case each
    """A value as plain JSON for people: secrets blinded, unknowns as the mark that the wire has for them."""
    if isinstance(value, Secret):
        return shown(value.element, show_secrets) if show_secrets else events.BLINDED
    if isinstance(value, Output):
        return shown(flatten(value), show_secrets)
    if isinstance(value, Unknown):
        return UNKNOWN_ID
    if isinstance(value, dict):
        return {key: shown(item, show_secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item, show_secrets) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return shown(marked(value), show_secrets)
