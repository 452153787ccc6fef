"""Shows a session's events to a person, in the ways that Dagger's CLI has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ci.engine.events import Events

MODES = ("auto", "plain", "tty", "dots", "logs", "report", "quiet")


@contextmanager
def shown(events: Events, mode: str, to: TextIO) -> Iterator[None]:
    """Show events on ``to`` while the block lasts; ``auto`` is the tree on a terminal, plain elsewhere."""
    if mode == "auto":
        mode = "tty" if to.isatty() else "plain"
    match mode:
        case "quiet":
            yield
        case "tty":
            from ci.engine.progress.tree import Tree

            with Tree(to) as tree:
                events.subscribe(tree.show)
                yield
        case _:
            from ci.engine.progress import lines
            from ci.engine.progress.writer import Writer

            renderers = {"plain": lines.Plain, "logs": lines.Logs, "dots": lines.Dots, "report": lines.Report}
            with Writer(to) as writer:
                renderer = renderers[mode](writer.write)
                events.subscribe(renderer.show)
                yield
                renderer.close()
