"""Steps as an outline, in Dagger's own signs: how each ended, its parts below it, and why it failed."""

from collections.abc import Iterator
from typing import TypeAlias

from ci.engine.events import StepEnded
from ci.engine.progress.steps import Step, duration, outcome

SIGNS = {"DONE": ("✔", "green"), "CACHED": ("$", "blue"), "ERROR": ("✘", "red")}
CANCELED = ("∅", "bright_black")

#: A line: its pieces, each with a style ("" for none) in the words of rich.
Line: TypeAlias = list[tuple[str, str]]


def outline(step: Step, *, logs: bool = False) -> Iterator[Line]:
    """The lines for a step that has ended and for its parts.

    With ``logs`` also what was said by those that went well. What a failed step said last, and its error, are
    always there; of a step that failed because a part of it did, only the part's.
    """
    assert step.ended is not None  # noqa: S101
    yield _head(step, step.ended)
    blamed = step.ended.error is not None and not any(_failed(part) for part in step.parts)
    if blamed or logs:
        lead = "│ " if step.parts else ""
        yield from ([(f"{lead}┃ {said}", "bright_black")] for said in step.said)
    parts = [part for part in step.parts if part.ended is not None]
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        for number, line in enumerate(outline(part, logs=logs)):
            lead = ("╰╴" if last else "├╴") if not number else ("  " if last else "│ ")
            yield [(lead, "bright_black"), *line]
    if blamed and not step.ended.canceled:
        yield [(f"! {step.ended.error}", "yellow")]


def failures(step: Step) -> Iterator[Step]:
    """The steps that failed by themselves, not because a part of theirs did."""
    for part in step.parts:
        yield from failures(part)
    if _failed(step) and not any(_failed(part) for part in step.parts):
        yield step


def text(line: Line) -> str:
    """A line without its styles."""
    return "".join(piece for piece, _ in line)


def origin(step: Step) -> str:
    """Where a step comes from: the steps that it is a part of, outermost first."""
    names: list[str] = []
    parent = step.parent
    while parent is not None:
        names.insert(0, parent.name)
        parent = parent.parent
    return " > ".join(names)


def _failed(step: Step) -> bool:
    return step.ended is not None and step.ended.error is not None and not step.ended.canceled


def _head(step: Step, ended: StepEnded) -> Line:
    how = outcome(ended)
    sign, colour = CANCELED if ended.canceled else SIGNS[how]
    line = [(f"{sign} ", colour), (step.name, ""), (f" {duration(ended.seconds)}", "bright_black")]
    if ended.canceled:
        return [*line, (" CANCELED", "bright_black")]
    return [*line, (f" {how}", colour)] if how != "DONE" else line
