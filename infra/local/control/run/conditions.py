"""Conditions of services, revisions, jobs and executions, as Cloud Run states them."""

import re
from collections.abc import Mapping, MutableSequence
from datetime import UTC, datetime
from typing import Any

from google.cloud import run_v2

State = run_v2.Condition.State
PENDING, RECONCILING = State.CONDITION_PENDING, State.CONDITION_RECONCILING
FAILED, SUCCEEDED = State.CONDITION_FAILED, State.CONDITION_SUCCEEDED
UNKNOWN = run_v2.Condition.CommonReason.UNKNOWN
_REASONS: Mapping[str, Mapping[str, Any]] = {
    "reason": run_v2.Condition.CommonReason.__members__,
    "revision_reason": run_v2.Condition.RevisionReason.__members__,
    "execution_reason": run_v2.Condition.ExecutionReason.__members__,
}


def now() -> datetime:
    """The present moment, as the API writes it."""
    return datetime.now(UTC)


def condition(kind: str, state: int, message: str = "", reason: str = "") -> run_v2.Condition:
    """A condition; `reason` is a name of one of the API's three sets of reasons, or "".

    "HealthCheckContainerError" means HEALTH_CHECK_CONTAINER_ERROR; a name that the API lacks is UNKNOWN.
    """
    made = run_v2.Condition(type_=kind, state=state, message=message, last_transition_time=now())
    if reason:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", reason).upper()
        for field, names in _REASONS.items():
            if name in names:
                setattr(made, field, names[name])
                break
        else:
            made.reason = run_v2.Condition.CommonReason(UNKNOWN)
    return made


def put(conditions: MutableSequence[run_v2.Condition], new: run_v2.Condition) -> None:
    """Put a condition in the place of the one of its type; it is a transition only when the state changes."""
    for index, old in enumerate(conditions):
        if old.type_ == new.type_:
            if old.state == new.state:
                new.last_transition_time = old.last_transition_time
            conditions[index] = new
            return
    conditions.append(new)


def find(conditions: MutableSequence[run_v2.Condition], kind: str) -> run_v2.Condition | None:
    """The condition of that type."""
    return next((each for each in conditions if each.type_ == kind), None)


def succeeded(conditions: MutableSequence[run_v2.Condition], kind: str) -> bool:
    """Whether the condition of that type is there and holds."""
    found = find(conditions, kind)
    return found is not None and found.state == SUCCEEDED
