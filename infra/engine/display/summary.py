"""The end of an operation: the stack's outputs, what was done to how many resources, and how long it took."""

from __future__ import annotations

import math
from collections.abc import Mapping

from infra.engine.display.events import Step, SummaryEvent
from infra.engine.display.objects import Printer, is_same, is_worth_showing, widest
from infra.engine.display.operations import BOLD, HEADLINE, ORDER, RED, look, painted

_UNCOUNTED = frozenset({"same", "read", "discard", "read-replacement"})


def resources(event: SummaryEvent, errored: int, seconds: float, *, color: bool) -> str:
    """How many resources were, or would be, dealt with in which way."""
    planned = "to " if event.is_preview else ""
    lines = [painted("Resources:", HEADLINE, color=color)]
    counts = {op: event.resource_changes.get(op, 0) for op in ORDER if op not in _UNCOUNTED}
    counts = {op: count for op, count in counts.items() if count}
    for op, count in counts.items():
        words = op if event.is_preview else look(op).counted
        lines.append(
            "    " + painted(f"{look(op).sign}{count} {planned}{words}", look(op).color, color=color)
        )
    pieces = []
    if len(counts) >= 2:
        pieces.append(painted(f"{sum(counts.values())} changes", BOLD, color=color))
    if same := event.resource_changes.get("same", 0):
        pieces.append(f"{same} unchanged")
    if pieces:
        lines.append(f"    {'. '.join(pieces)}")
    if errored:
        lines.append(painted(f"    {errored} errored", RED, color=color))
    if not event.is_preview:
        lines += ["", f"{painted('Duration:', HEADLINE, color=color)} {duration(seconds)}"]
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    """Whole seconds, rounded up, as Go writes a duration."""
    whole = math.ceil(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if whole >= 60 else ''}{left}s"


def outputs(step: Step, indent: int, *, planning: bool, refresh: bool = False, color: bool = False) -> str:
    """A step's outputs: what differs from the inputs and from before.

    Of the stack itself, after an update, all.
    """
    root = step.type == "pulumi:pulumi:Stack"
    if planning and not (
        refresh or root or step.op in {"read", "read-replacement", "import", "import-replacement"}
    ):
        return ""
    if step.old is not None and step.old.init_errors:
        return ""
    new = step.new.outputs if step.new else {}
    inputs = step.new.inputs if step.new else {}
    everything = root and not planning
    printer = Printer(indent, step.op, planning=planning, summary=not everything, color=color)
    if step.old is None:
        keep = {
            key: value
            for key, value in new.items()
            if not key.startswith("__")
            and is_worth_showing(value)
            and (refresh or not _repeats(inputs, key, value))
        }
        return _object(printer, keep, new)
    old = {key: value for key, value in step.old.outputs.items() if not key.startswith("__")}
    shown = {
        key: value
        for key, value in new.items()
        if not key.startswith("__") and (refresh or not _repeats(inputs, key, value))
    }
    gone = {key: value for key, value in old.items() if key in shown or key not in new}
    return _difference(printer, gone, shown, {**old, **new}, everything=everything)


def _repeats(inputs: Mapping[str, object], key: str, value: object) -> bool:
    return key in inputs and is_same(inputs[key], value)


def _object(printer: Printer, properties: Mapping[str, object], of: Mapping[str, object]) -> str:
    """``properties``, their names padded as those of all the properties ``of`` the resource."""
    return printer.padded(properties, widest(of))


def _difference(
    printer: Printer,
    old: Mapping[str, object],
    new: Mapping[str, object],
    of: Mapping[str, object],
    *,
    everything: bool,
) -> str:
    if not everything and all(is_same(old.get(key), new.get(key)) for key in {*old, *new}):
        return ""
    names = [key for key in of if not key.startswith("__")]
    return printer.padded_difference(old, new, widest(names))
