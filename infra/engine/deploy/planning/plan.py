"""Update plans: what an approved preview allows, held against what an update is about to do.

Source: pkg/resource/deploy/plan.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.engine.deploy import states, urns
from infra.engine.deploy.contract import Goal, Op, Plan, ResourcePlan
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.registration import Registration
from infra.engine.values import Properties, Unknown, Value
from infra.engine.values.compare import equal

if TYPE_CHECKING:
    from infra.engine.state.model import Resource

_MORE_THAN_SAME: Mapping[Op, frozenset[Op]] = {
    Op.CREATE: frozenset({Op.SAME, Op.CREATE}),
    Op.UPDATE: frozenset({Op.SAME, Op.UPDATE}),
    Op.REPLACE: frozenset({Op.SAME, Op.UPDATE, Op.REPLACE}),
    Op.CREATE_REPLACEMENT: frozenset({Op.SAME, Op.UPDATE, Op.CREATE_REPLACEMENT}),
    Op.DELETE_REPLACED: frozenset({Op.SAME, Op.UPDATE, Op.DELETE_REPLACED}),
    Op.DELETE: frozenset({Op.DELETE}),
}


def allows(planned: Op, op: Op) -> bool:
    """Whether ``op`` is no more than what was ``planned``."""
    return op in _MORE_THAN_SAME.get(planned, (planned,))


class Constraints:
    """Holds an update to a plan, or writes one down."""

    def __init__(self, plan: Plan | None, record: bool) -> None:
        self._plan = plan
        self._left = {urn: list(planned.steps) for urn, planned in plan.resources.items()} if plan else {}
        self._record = record
        self._recorded: dict[str, ResourcePlan] = {}

    @property
    def recorded(self) -> Plan | None:
        """The plan written down, if one was asked for."""
        return Plan(self._recorded) if self._record else None

    def seed(self, urn: str) -> bytes:
        """The random seed that the preview used, so that generated names come out the same; empty if none."""
        planned = self._plan.resources.get(urn) if self._plan else None
        return planned.seed if planned else b""

    def expect(self, urn: str) -> None:
        """Have a plan entry for a resource that is replaced because of another."""
        if self._record:
            self._recorded.setdefault(urn, ResourcePlan(None, ()))

    def step(self, urn: str, op: Op, recorded_as: str = "") -> None:
        """Take one step. Raises DeploymentError for one that the plan doesn't have."""
        if self._plan is not None:
            left = self._left.get(urn)
            if left is None:
                if not allows(Op.SAME, op):
                    raise DeploymentError(
                        f"{op} is not allowed by the plan: no steps were expected for this resource", urn
                    )
            elif not left:
                message = f"{op} is not allowed by the plan: no more steps were expected for this resource"
                raise DeploymentError(message, urn)
            elif not allows(planned := left.pop(0), op):
                message = f"{op} is not allowed by the plan: this resource is constrained to {planned}"
                raise DeploymentError(message, urn)
        if self._record:
            key = recorded_as or urn
            entry = self._recorded.get(key, ResourcePlan(None, ()))
            self._recorded[key] = replace(entry, steps=(*entry.steps, op))

    def goal(
        self, wanted: Registration, new: Resource, old_inputs: Properties, *, seed: bytes, fresh: bool
    ) -> None:
        """Take a resource's wish. Raises DeploymentError where it is another than the plan's."""
        urn = new.urn
        if self._record:
            adds, deletes, updates = _difference(old_inputs, new.inputs)
            goal = _goal(wanted, adds, deletes, updates)
            entry = self._recorded.get(urn, ResourcePlan(None, ()))
            self._recorded[urn] = replace(entry, goal=goal, seed=seed)
        if self._plan is None:
            return
        planned = self._plan.resources.get(urn)
        if planned is None:
            changed = () if fresh else _keys(_difference(old_inputs, new.inputs))
            problem = f"properties changed: {', '.join(changed)}" if changed else ""
        elif planned.goal is None:
            problem = "resource unexpectedly not deleted"
        else:
            problem = _violation(planned.goal, wanted) or _changes(
                old_inputs, new.inputs, planned.goal.adds, planned.goal.deletes, planned.goal.updates
            )
        if problem:
            raise DeploymentError(f"resource {urn} violates plan: {problem}", urn)

    def outputs(self, urn: str, old: Properties, new: Properties) -> None:
        """Take a component's outputs. Raises DeploymentError where they are others than the plan's."""
        if self._record and (entry := self._recorded.get(urn)) is not None and entry.goal is not None:
            adds, deletes, updates = _difference(old, new)
            goal = replace(entry.goal, output_adds=adds, output_deletes=deletes, output_updates=updates)
            self._recorded[urn] = replace(entry, goal=goal, outputs=new)
        planned = self._plan.resources.get(urn) if self._plan else None
        if planned is not None and planned.goal is not None:
            goal = planned.goal
            problem = _changes(old, new, goal.output_adds, goal.output_deletes, goal.output_updates)
            if problem:
                raise DeploymentError(f"resource violates plan: {problem}", urn)

    def made(self, resource: Resource) -> None:
        """Note a resource's outputs in the plan, for whoever reads it."""
        if self._record and (entry := self._recorded.get(resource.urn)) is not None:
            self._recorded[resource.urn] = replace(entry, outputs=resource.outputs)

    def unmet(self, present: Iterable[str]) -> list[str]:
        """URNs that the plan has steps for which were not taken.

        A deletion of what is gone already is met.
        """
        there = set(present)
        return [
            urn for urn, left in self._left.items() if left and not (left == [Op.DELETE] and urn not in there)
        ]


_Difference = tuple[Properties, tuple[str, ...], Properties]


def _difference(old: Properties, new: Properties) -> _Difference:
    adds: Properties = {
        key: value for key, value in new.items() if value is not None and old.get(key) is None
    }
    deletes = tuple(key for key, value in old.items() if value is not None and new.get(key) is None)
    updates: Properties = {
        key: value
        for key, value in new.items()
        if value is not None and old.get(key) is not None and not equal(old[key], value)
    }
    return adds, deletes, updates


def _keys(difference: _Difference) -> tuple[str, ...]:
    adds, deletes, updates = difference
    marked = [
        *(f"=+{key}" for key in adds),
        *(f"=-{key}" for key in deletes),
        *(f"=~{key}" for key in updates),
    ]
    return tuple(sorted(marked))


def _goal(wanted: Registration, adds: Properties, deletes: tuple[str, ...], updates: Properties) -> Goal:
    return Goal(
        type=wanted.type,
        name=wanted.name,
        custom=wanted.custom,
        adds=adds,
        deletes=deletes,
        updates=updates,
        parent=wanted.parent,
        protect=wanted.protect,
        dependencies=wanted.dependencies,
        provider=wanted.provider,
        property_dependencies=wanted.property_dependencies,
        delete_before_replace=wanted.delete_before_replace,
        ignore_changes=wanted.ignore_changes,
        additional_secret_outputs=wanted.additional_secret_outputs,
        aliases=tuple(alias.urn for alias in wanted.aliases if alias.urn),
        id=wanted.import_id,
        custom_timeouts=states.timeouts(wanted.timeouts),
    )


def _violation(planned: Goal, wanted: Registration) -> str:
    """In which option a wish is another than the planned one, as a sentence, or empty."""
    if wanted.custom != planned.custom:
        return f"resource kind changed (expected {'custom' if planned.custom else 'component'})"
    if not _same_provider(planned.provider, wanted.provider):
        return f"provider changed (expected {planned.provider})"
    plain = [
        ("parent", planned.parent, wanted.parent),
        ("protect", planned.protect, wanted.protect),
        ("deleteBeforeReplace", planned.delete_before_replace, wanted.delete_before_replace),
        ("importID", planned.id, wanted.import_id),
    ]
    for name, expected, actual in plain:
        if expected != actual:
            return f"{name} changed (expected {_shown(expected)})"
    given = states.timeouts(wanted.timeouts)
    for call in ("create", "update", "delete", "read"):
        if planned.custom_timeouts.get(call, 0) != given.get(call, 0):
            return f"{call} timeout changed (expected {planned.custom_timeouts.get(call, 0)})"
    sets = [
        ("ignoreChanges", planned.ignore_changes, wanted.ignore_changes),
        ("additionalSecretOutputs", planned.additional_secret_outputs, wanted.additional_secret_outputs),
        ("dependencies", planned.dependencies, wanted.dependencies),
    ]
    for name, before, after in sets:
        added, deleted = sorted(set(after) - set(before)), sorted(set(before) - set(after))
        if added or deleted:
            parts = [
                f"{verb} {', '.join(items)}"
                for verb, items in (("added", added), ("deleted", deleted))
                if items
            ]
            return f"{name} changed: {'; '.join(parts)}"
    return ""


def _shown(value: object) -> str:
    if value is None:
        return "no value"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same_provider(planned: str, actual: str) -> bool:
    if planned == actual:
        return True
    if not planned or not actual:
        return False
    # A provider that the preview would have made has no id yet.
    return urns.parse_reference(planned)[0] == urns.parse_reference(actual)[0]


@dataclass(frozen=True, slots=True)
class _Planned:
    """What a plan says of one resource's properties."""

    adds: Properties
    deletes: tuple[str, ...]
    updates: Properties

    def complaint(self, key: str, actual: str, value: Value = None) -> str:
        """How ``key`` was to change, how it does (``+``, ``~``, ``-`` or ``=``), and the values."""
        expected, wanted = "=", None
        if key in self.adds:
            expected, wanted = "+", self.adds[key]
        elif key in self.updates:
            expected, wanted = "~", self.updates[key]
        elif key in self.deletes:
            expected = "-"
        values = "!=".join(f"{{{states.redacted(each)}}}" for each in (wanted, value) if each is not None)
        return f"{expected}{actual}{key}{f'[{values}]' if values else ''}"


def _changes(
    old: Properties, new: Properties, adds: Properties, deletes: tuple[str, ...], updates: Properties
) -> str:
    """In which properties an update is another than the planned one, as a sentence, or empty."""
    plan = _Planned(adds, deletes, updates)
    actual_adds, actual_deletes, actual_updates = _difference(old, new)
    problems: list[str] = []
    for key in adds.keys() | updates.keys() | actual_adds.keys() | actual_updates.keys():
        planned = adds.get(key, updates.get(key))
        actual = "+" if key in actual_adds else "~" if key in actual_updates else "="
        if key not in new:
            if not isinstance(planned, Unknown):
                problems.append(plan.complaint(key, "-"))
        elif planned is None or not _as_planned(planned, new[key]):
            problems.append(plan.complaint(key, actual, new[key]))
    expected = {*deletes, *adds, *updates}
    problems += [plan.complaint(key, "-") for key in actual_deletes if key not in expected]
    problems += [plan.complaint(key, "=", new[key]) for key in deletes if new.get(key) is not None]
    return f"properties changed: {', '.join(sorted(problems))}" if problems else ""


def _as_planned(planned: Value, actual: Value) -> bool:
    """Whether a value is the planned one: what was not known then may be anything."""
    if isinstance(planned, Unknown):
        return True
    if isinstance(planned, dict) and isinstance(actual, dict):
        return planned.keys() == actual.keys() and all(
            _as_planned(planned[key], actual[key]) for key in planned
        )
    if isinstance(planned, list) and isinstance(actual, list):
        return len(planned) == len(actual) and all(
            _as_planned(one, other) for one, other in zip(planned, actual, strict=True)
        )
    return equal(planned, actual)
