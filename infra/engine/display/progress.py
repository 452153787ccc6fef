"""The view of an operation as a line for each thing that happens; what was said, and the sum, at the end."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from infra.engine.display import summary
from infra.engine.display.diff import configuration, policy
from infra.engine.display.events import (
    DiagnosticEvent,
    Event,
    PolicyEvent,
    PreludeEvent,
    ResOpFailedEvent,
    ResourcePreEvent,
    ResOutputsEvent,
    StdoutEvent,
    Step,
    StepState,
    SummaryEvent,
)
from infra.engine.display.operations import HEADLINE, RED, YELLOW, look, painted
from infra.engine.display.options import Options, is_shown


@dataclass(slots=True)
class _Row:
    """One resource's line, and what was said about it.

    ``ended`` are the operations that have run, ``took`` is how long the last of them did.
    """

    urn: str
    type: str
    step: Step | None = None
    status: str = ""
    began: float = 0
    took: float | None = None
    changed: str = ""
    said: list[DiagnosticEvent] = field(default_factory=list)
    failed: bool = False
    shown: bool = False
    ended: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.split("::", 3)[-1]

    @property
    def op(self) -> str:
        """What is, or was last, done."""
        return self.step.op if self.step else "same"


_NOTHING = StepState("", "")
_REPLACING = frozenset({"replace", "create-replacement", "delete-replaced", "read-replacement"})
_FAILED = {"create-replacement": "creating failed", "delete-replaced": "deleting failed"}
"""Where a failure is told in other words than what was being done."""


class ProgressView:
    """Prints a line whenever a resource's state changes; the rest once the operation is over."""

    def __init__(self, options: Options, root: str) -> None:
        self._options = options
        self._rows: dict[str, _Row] = {}
        self._root = root
        self._started = time.monotonic()
        self._policies: list[PolicyEvent] = []
        self._stack: Step | None = None
        self._planning = False

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case PreludeEvent() if self._options.show_config:
                self._write(configuration(event, color=self._options.color))
            case DiagnosticEvent() if event.severity != "debug" or self._options.debug:
                self._said(event)
            case StdoutEvent():
                self._write(event.message)
            case PolicyEvent():
                self._policies.append(event)
            case ResourcePreEvent():
                self._planning = event.planning
                self._began(event.metadata)
            case ResOutputsEvent():
                self._planning = event.planning
                self._ended(event.metadata)
            case ResOpFailedEvent():
                self._failed(event.metadata)
            case SummaryEvent():
                self._finish(event)

    def _row(self, urn: str, type_: str = "") -> _Row:
        urn = urn or self._root
        if urn not in self._rows:
            self._rows[urn] = _Row(
                urn, type_ or (urn.split("::")[2].rpartition("$")[2] if "::" in urn else "")
            )
        return self._rows[urn]

    def _began(self, step: Step) -> None:
        row = self._row(step.urn, step.type)
        row.step, row.began, row.took = step, time.monotonic(), None
        row.shown = row.shown or self._is_shown(step)
        if step.op != "delete-replaced":  # what made the replacement is told on the same line already
            row.changed = _changed(step)
        words = look(step.op).plan if self._planning else look(step.op).doing
        row.status = f"{words} (0s)" if words and not self._planning else words
        if _is_root(step) and step.op == "same":
            row.status = "running"
        if row.shown:
            self._print(row)

    def _ended(self, step: Step) -> None:
        row = self._row(step.urn, step.type)
        refreshed = row.op == "refresh"
        if _is_root(step) and (step.op != "delete" or len(self._rows) == 1):  # else it is only the last to go
            self._stack = step
        row.step, row.took = step, time.monotonic() - row.began
        row.shown = row.shown or self._is_shown(step)
        row.ended.add(step.op)
        if _is_root(step) and step.op == "same":
            row.status = "running"
        elif not self._planning:
            row.status = _done(row, failed=False)
        elif refreshed:
            row.status = "refresh" if step.op == "refresh" else look(step.op).plan
        custom = (step.new or step.old or _NOTHING).custom
        telling = refreshed or (not self._planning and custom and step.op != "same")
        if row.shown and telling:
            self._print(row)

    def _is_shown(self, step: Step) -> bool:
        return step.op in {"create-replacement", "delete-replaced"} or is_shown(step, self._options)

    def _failed(self, step: Step) -> None:
        row = self._row(step.urn, step.type)
        row.step, row.failed, row.took = step, True, None
        row.status = _done(row, failed=True)
        self._print(row)

    def _said(self, event: DiagnosticEvent) -> None:
        text = (event.prefix + event.message).strip()
        if not text:
            return
        row = self._row(event.urn)
        row.shown = True
        if event.ephemeral:
            if not self._options.suppress_progress:
                self._print(row, event.message.strip())
            return
        row.said.append(event)
        self._print(row, (event.prefix + event.message).rstrip().split("\n")[0])

    def _print(self, row: _Row, said: str | None = None) -> None:
        op = row.op
        name = row.urn if self._options.show_urns else row.name
        latest = _latest(row) if said is None else said
        info = "; ".join(part for part in (row.changed, latest) if part)
        sign = painted(f" {look(op).sign} ", look(op).color, color=self._options.color)
        self._write(f"{sign}{row.type} {name} {self._painted(row.status)} {info}\n")

    def _painted(self, status: str) -> str:
        return painted(status, RED if "failed" in status else "", color=self._options.color)

    def _finish(self, event: SummaryEvent) -> None:
        for row in self._rows.values():
            root = row.urn == self._root
            if (row.shown or root) and not row.failed and (root or row.op not in row.ended):
                self._close(row)
        self._diagnostics()
        if self._policies:
            self._headline("Policies")
            self._write("".join(policy(item) for item in self._policies) + "\n")
        self._outputs()
        errored = sum(row.failed or _count(row)["error"] > 0 for row in self._rows.values())
        seconds = time.monotonic() - self._started
        self._write(summary.resources(event, errored, seconds, color=self._options.color) + "\n")

    def _close(self, row: _Row) -> None:
        """The last line of what is over only now that everything is."""
        counts = _count(row)
        state = (row.step.new or row.step.old or _NOTHING) if row.step else _NOTHING
        if self._planning:
            row.status = "replace" if row.op in _REPLACING else look(row.op).plan
        elif state.custom and row.op != "same" and not counts["error"]:
            row.status = f"{look(row.op).doing} (interrupted)"
        else:
            row.status = _done(row, failed=counts["error"] > 0)
        self._print(row, _tally(counts))

    def _headline(self, text: str) -> None:
        self._write(painted(f"{text}:", HEADLINE, color=self._options.color) + "\n")

    def _diagnostics(self) -> None:
        rows = [row for row in self._rows.values() if row.said]
        if not rows:
            return
        self._headline("Diagnostics")
        for row in rows:
            self._write(f"  {row.type} ({row.urn if self._options.show_urns else row.name}):\n")
            for stream in sorted({event.stream_id for event in row.said}):
                self._write(_lines([event for event in row.said if event.stream_id == stream], self._options))

    def _outputs(self) -> None:
        if self._stack is None or self._options.suppress_outputs:
            return
        text = summary.outputs(
            self._stack, 1, planning=self._planning, refresh=self._options.refresh, color=self._options.color
        )
        if text:
            self._headline("Outputs")
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._options.out.write(text)
        self._options.out.flush()


def _done(row: _Row, *, failed: bool) -> str:
    """How an operation ended, and after how long."""
    op = row.op
    words = _FAILED.get(op, f"{look(op).doing} failed".strip()) if failed else look(op).done
    if words and op != "same" and row.took is not None:
        words += f" ({row.took:.2f}s)" if row.took < 1 else f" ({int(row.took)}s)"
    return f"**{words}**" if failed else words


def _is_root(step: Step) -> bool:
    return step.type == "pulumi:pulumi:Stack"


def _changed(step: Step) -> str:
    """Which properties a step changes, in short: ``[diff: +a-b~c]``."""
    if step.op in {"create", "delete", "refresh", "read"}:
        return ""
    signs: dict[str, list[str]] = {"+": [], "-": [], "~": []}
    if step.old is not None and step.new is not None:
        names = ("provider", "protect", "taint")
        signs["~"] += [name for name in names if getattr(step.old, name) != getattr(step.new, name)]
    old = step.old.inputs if step.old else {}
    new = step.new.inputs if step.new else {}
    for key in sorted(
        key for key in {*old, *new} if not key.startswith("__") and old.get(key) != new.get(key)
    ):
        if step.op != "same":
            signs["+" if key not in old else "-" if key not in new else "~"].append(key)
    text = "".join(f"{sign}{','.join(keys)}" for sign, keys in signs.items() if keys)
    return f"[diff: {text}]" if text else ""


def _latest(row: _Row) -> str:
    texts = [(event.prefix + event.message).strip("\n").split("\n")[0] for event in row.said]
    return next((text for text in reversed(texts) if text), "")


def _count(row: _Row) -> Counter[str]:
    kinds = {
        "error": "error",
        "warning": "warning",
        "info": "message",
        "info#err": "message",
        "debug": "debug",
    }
    return Counter(kinds[event.severity] for event in row.said if event.message.strip())


def _tally(counts: Counter[str]) -> str:
    parts = [(kind, counts[kind]) for kind in ("error", "warning", "message", "debug") if counts[kind]]
    return "; ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in parts)


def _lines(said: list[DiagnosticEvent], options: Options) -> str:
    colors = {"error": RED, "warning": YELLOW}
    lines = []
    for event in said:
        prefix = painted(event.prefix.rstrip(), colors.get(event.severity, ""), color=options.color)
        text = f"{prefix} {event.message}" if prefix else event.message
        lines += [line for line in text.rstrip("\n").split("\n") if line or len(said) > 1]
    body = "".join(f"    {line}\n" if line.strip() else "" for line in lines)
    return f"{body}\n" if body else ""
