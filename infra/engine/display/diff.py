"""The view of ``--diff``: each step with all its properties, one after the other."""

from __future__ import annotations

import time

from infra.engine.display import summary
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
from infra.engine.display.objects import Printer
from infra.engine.display.operations import UNIMPORTANT, look, painted
from infra.engine.display.options import Options, is_shown


class DiffView:
    """Prints as it goes."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._seen: dict[str, Step] = {}
        self._errored = 0
        self._started = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        text = self._text(event)
        if text:
            stream = self._options.err if isinstance(event, DiagnosticEvent) else self._options.out
            stream.write(text)
            stream.flush()

    def _text(self, event: Event) -> str:
        text = ""
        match event:
            case PreludeEvent() if self._options.show_config:
                text = configuration(event, color=self._options.color)
            case DiagnosticEvent() if event.severity != "debug" or self._options.debug:
                text = event.prefix + event.message
            case StdoutEvent():
                text = event.message
            case PolicyEvent():
                text = policy(event)
            case ResourcePreEvent():
                text = self._before(event.metadata, planning=event.planning)
            case ResOutputsEvent():
                text = self._after(event.metadata, planning=event.planning)
            case ResOpFailedEvent():
                self._errored += 1
            case SummaryEvent():
                seconds = time.monotonic() - self._started
                text = summary.resources(event, self._errored, seconds, color=self._options.color)
        return text

    def _before(self, step: Step, *, planning: bool) -> str:
        self._seen[step.urn] = step
        if step.op == "refresh" or not is_shown(step, self._options):
            return ""
        return self._heading(step) + self._properties(step, planning=planning)

    def _heading(self, step: Step) -> str:
        indent = self._indent(step)
        space = "    " * indent
        name = step.urn if self._options.show_urns else step.type
        head = f"{look(step.op).sign}{name}: ({_operation(step)}){_protection(step)}"
        lines = [space + painted(head, look(step.op).color, color=self._options.color)]
        if step.old is not None and step.old.id:
            lines.append(f"{space}    [id={step.old.id}]")
        if not self._options.show_urns:
            lines.append(f"{space}    [urn={step.urn}]")
        lines += _provider_lines(step, f"{space}    ")
        return "\n".join(lines) + "\n"

    def _properties(self, step: Step, *, planning: bool) -> str:
        printer = Printer(self._indent(step) + 1, step.op, planning=planning, color=self._options.color)
        old, new = step.old, step.new
        if new is not None and old is None:
            return printer.object(new.outputs or new.inputs)
        if new is None or old is None or step.op == "same":
            return ""
        if new.outputs and not step.op.startswith("import"):
            return printer.difference(old.outputs, new.outputs)
        return printer.difference(old.inputs, new.inputs, step.diffs or None)

    def _after(self, step: Step, *, planning: bool) -> str:
        seen = self._seen.setdefault(step.urn, step)
        if self._options.suppress_outputs or not (is_shown(step, self._options) or step.op == "refresh"):
            return ""
        refresh = self._options.refresh
        indent = self._indent(step)
        outputs = summary.outputs(
            step, indent + 1, planning=planning, refresh=refresh, color=self._options.color
        )
        heading = ""
        if seen.op == "refresh" and (outputs or step.op not in {"same", "refresh"} or _is_root(step)):
            heading = self._heading(step)
        if not outputs:
            return heading if step.op in {"delete", "update"} or _is_root(step) else ""
        return f"{heading}{'    ' * (indent + 1)}--outputs:--\n{outputs}"

    def _indent(self, step: Step) -> int:
        indent = 0
        parent = _parent(step.new or step.old)
        while parent and (above := self._seen.get(parent)) is not None:
            if _is_root(above) or is_shown(above, self._options):
                indent += 1
            parent = _parent(above.new or above.old)
        return indent


def _parent(state: StepState | None) -> str:
    return state.parent if state else ""


def _is_root(step: Step) -> bool:
    return step.type == "pulumi:pulumi:Stack"


def _operation(step: Step) -> str:
    leaves = step.op in {"delete", "replace", "create-replacement", "delete-replaced"}
    return f"{step.op}[retain]" if leaves and step.old is not None and step.old.retain_on_delete else step.op


def _protection(step: Step) -> str:
    before, after = bool(step.old and step.old.protect), bool(step.new and step.new.protect)
    if step.new is not None and before and not after:
        return " 🔓"
    return " 🔒" if before or after else ""


def _provider_lines(step: Step, space: str) -> list[str]:
    old, new = step.old, step.new
    if not step.provider:
        return []
    if old is not None and new is not None and old.provider != new.provider:
        return [f"{space}[provider: {old.provider} => {new.provider}]"]
    name = step.provider.rpartition("::")[0].rpartition("::")[2]
    return [] if name == "default" else [f"{space}[provider={step.provider}]"]


def configuration(event: PreludeEvent, *, color: bool) -> str:
    """The configuration, as ``--show-config`` asks for it."""
    lines = [painted("Configuration:", UNIMPORTANT, color=color)]
    return "\n".join(lines + [f"    {key}: {event.config[key]}" for key in sorted(event.config)]) + "\n"


def policy(event: PolicyEvent) -> str:
    """A policy that is violated, and by which resource."""
    parts = event.resource_urn.split("::")
    about = f"  ({parts[2].rpartition('$')[2]}: {parts[-1]})" if len(parts) > 3 else ""
    head = f"    {event.policy_pack_name}@v{event.policy_pack_version} [{event.enforcement_level}]"
    return f"{head}  {event.policy_name}{about}\n    {event.message.rstrip()}\n".replace("\n    \n", "\n")
