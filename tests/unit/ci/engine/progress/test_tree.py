"""Progress as a tree on a terminal."""

import io
import re

from ci.engine.events import Events, StepEnded, StepOutput, StepStarted
from ci.engine.progress import shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_ended_steps_stay_on_the_screen_with_how_they_ended(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    to, hub = Terminal(), Events()
    with shown(hub, "auto", to):
        hub.emit(StepStarted("a", "exec make [all]"))
        hub.emit(StepOutput("a", "stdout", b"why it failed\n"))
        hub.emit(StepEnded("a", 1.0, cached=False, error="exit code: 2"))
        hub.emit(StepStarted("b", "exec true"))
        hub.emit(StepEnded("b", 0.0, cached=True, error=None))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", to.getvalue())
    for line in (
        "✘ exec make [all] 1.0s",
        "  ┃ why it failed",
        "  ! exit code: 2",
        "$ exec true 0.0s CACHED",
    ):
        assert line in text
