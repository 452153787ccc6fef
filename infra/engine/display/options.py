"""What a view of an operation is asked to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from infra.engine.display.events import Event

if TYPE_CHECKING:
    from infra.engine.display.events import Step

View = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Options:
    """``action`` is the headline's word ("Updating"); ``live`` says that the terminal can be drawn over."""

    out: TextIO
    err: TextIO
    action: str = ""
    color: bool = False
    debug: bool = False
    refresh: bool = False
    show_config: bool = False
    show_reads: bool = False
    show_replacement_steps: bool = False
    show_sames: bool = False
    show_urns: bool = False
    suppress_outputs: bool = False
    suppress_progress: bool = False


def is_shown(step: Step, options: Options) -> bool:
    """Whether a step gets a line.

    What doesn't change, and what is an inner part of a replacement, mostly does not.
    """
    if step.op == "same":
        return options.show_sames or _is_root(step) or _changes_protection(step)
    if step.op in {"read", "read-replacement", "discard", "discard-replaced"}:
        return options.show_reads
    if step.op in {"create-replacement", "delete-replaced"}:
        return options.show_replacement_steps
    return step.op != "remove-pending-replace"


def _is_root(step: Step) -> bool:
    return step.type == "pulumi:pulumi:Stack"


def _changes_protection(step: Step) -> bool:
    return step.old is not None and step.new is not None and step.old.protect != step.new.protect
