"""Shows a session's events to a person, in the ways that Dagger's CLI has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ci.engine.progress.ending import Ending

if TYPE_CHECKING:
    from ci.engine.events import Events

__all__ = ["MODES", "Ending", "shown"]

MODES = ("auto", "plain", "tty", "dots", "logs", "report", "quiet")


@contextmanager
def shown(
    events: Events,
    mode: str,
    to: TextIO,
    *,
    ending: Ending | None = None,
    outputs: Sequence[int] = (),
    brief: bool = False,
) -> Iterator[None]:
    """Show events on ``to`` while the block lasts; ``auto`` is the tree on a terminal, plain elsewhere.

    How the command went is told in ``ending`` before the block is left. ``outputs`` are descriptors that the
    command's own output can be read from; the tree shows it above itself, and nothing else reads it.
    """
    ending = ending or Ending()
    if mode == "auto":
        mode = "tty" if to.isatty() else "plain"
    match mode:
        case "quiet":
            yield
        case "tty":
            from ci.engine.progress.commandoutput import shown_by
            from ci.engine.progress.tree import Tree

            with Tree(to, brief=brief) as tree, shown_by(tree, outputs):
                events.subscribe(tree.show)
                yield
            tree.close(ending)
        case _:
            from ci.engine.progress import lines
            from ci.engine.progress.writer import Writer

            renderers = {"plain": lines.Plain, "logs": lines.Logs, "dots": lines.Dots, "report": lines.Report}
            with Writer(to) as writer:
                renderer = renderers[mode](writer.write)
                events.subscribe(lines.subscriber(renderer, writer))
                yield
                renderer.close(ending)
