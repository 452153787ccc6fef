"""Progress as a tree on a terminal."""

import io
import os
import re

from rich.console import Console

from ci.engine.events import (
    Events,
    StepEnded,
    StepOutput,
    StepStarted,
    TerminalClosed,
    TerminalOpened,
)
from ci.engine.progress import shown
from ci.engine.progress.tree import Tree


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_ended_steps_stay_on_the_screen_with_how_they_ended(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    to, hub = Terminal(), Events()
    with shown(hub, "auto", to):
        hub.emit(StepStarted("a", "withExec make [all]"))
        hub.emit(StepOutput("a", "stdout", b"why it failed\n"))
        hub.emit(StepEnded("a", 1.0, cached=False, error="exit code: 2"))
        hub.emit(StepStarted("b", "withExec true"))
        hub.emit(StepEnded("b", 0.0, cached=True, error=None))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", to.getvalue())
    for line in (
        "✘ withExec make [all] 1.0s ERROR",
        "┃ why it failed",
        "! exit code: 2",
        "$ withExec true 0.0s CACHED",
    ):
        assert line in text


def test_a_running_step_has_its_parts_and_what_it_said_last(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    to = Terminal()
    tree = Tree(to)
    for event in (
        StepStarted("a", "dockerBuild"),
        StepStarted("b", "withExec make", "a"),
        StepOutput("b", "stdout", b"halfway\n"),
    ):
        tree.show(event)
    console = Console(file=to, width=60)
    console.print(tree)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", to.getvalue())
    assert re.search(r". dockerBuild 0\.0s\s+│ . withExec make 0\.0s\s+│   ┃ halfway", text)


def test_what_the_command_writes_is_shown_above_the_tree_also_without_a_last_newline(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    to, hub = Terminal(), Events()
    reading, writing = os.pipe()
    with shown(hub, "tty", to, outputs=[reading]):
        os.write(writing, b"one\ntw")
        os.write(writing, b"o")
        os.close(writing)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", to.getvalue())
    assert "one\n" in text
    assert "two\n" in text


def test_the_screen_is_left_alone_while_somebody_else_has_it(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    to = Terminal()
    with Tree(to) as tree:
        tree.show(StepStarted("a", "slow"))
        tree.show(TerminalOpened())
        before = to.getvalue()
        tree.show(StepOutput("a", "stdout", b"x\n"))
        assert to.getvalue() == before
        tree.show(TerminalClosed())
        tree.show(StepEnded("a", 0, cached=False, error=None))
    assert "✔" in to.getvalue()[len(before) :]


def test_a_step_that_has_ended_is_not_drawn_again_as_running(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    to = Terminal()
    with Tree(to) as tree:
        tree.show(StepStarted("a", "once"))
        tree.show(StepEnded("a", 0, cached=False, error=None))
    assert to.getvalue().count("once") == 1


def test_a_terminal_that_has_gone_does_not_end_the_session(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")

    class Gone(Terminal):
        def write(self, text: str) -> int:
            if "once" in text or "said" in text:
                raise OSError
            return super().write(text)

    to = Gone()
    with Tree(to) as tree:
        tree.show(StepStarted("a", "once"))
        tree.show(StepEnded("a", 0, cached=False, error=None))
        tree.print("said")
        tree.show(TerminalOpened())  # waits for what is to be printed
        tree.show(TerminalClosed())
