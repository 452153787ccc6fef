"""Progress as lines of text."""

import io
import re
import threading

import pytest

from ci.engine.events import (
    Events,
    StepEnded,
    StepOutput,
    StepStarted,
    TerminalClosed,
    TerminalOpened,
)
from ci.engine.progress import Ending, shown
from ci.engine.progress.lines import Plain
from ci.engine.progress.steps import Steps, duration
from ci.engine.progress.writer import Writer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(mode: str, *events, ending: Ending | None = None) -> str:
    to = io.StringIO()
    hub = Events()
    with shown(hub, mode, to, ending=ending):
        for event in events:
            hub.emit(event)
    return to.getvalue()


DONE = (
    StepStarted("a", "withExec make"),
    StepOutput("a", "stdout", b"x\n"),
    StepEnded("a", 1.24, cached=False, error=None),
)
CACHED = StepStarted("b", "withExec true"), StepEnded("b", 0.0, cached=True, error=None)
FAILED = StepStarted("c", "withExec false"), StepEnded("c", 61.0, cached=False, error="exit code: 1")


def test_plain_has_every_step_its_output_and_how_it_ended():
    clock, out = Clock(), io.StringIO()
    plain = Plain(out.write, Steps(clock))
    plain.show(DONE[0])
    clock.now = 0.5
    plain.show(DONE[1])
    for event in (*DONE[2:], *CACHED, *FAILED):
        plain.show(event)
    plain.close(Ending(exit_code=0))
    assert out.getvalue() == (
        "1   : withExec make\n"
        "1   : [0.5s] | x\n"
        "1   : withExec make DONE [1.2s]\n"
        "\n"
        "2   : withExec true\n"
        "2   : withExec true CACHED [0.0s]\n"
        "\n"
        "3   : withExec false\n"
        "3   : withExec false ERROR [1m1s]\n"
        "3   : ! exit code: 1\n"
        "\n"
    )


def test_plain_names_a_step_again_when_another_came_in_between():
    text = lines(
        "plain",
        StepStarted("a", "first"),
        StepStarted("b", "second"),
        StepOutput("a", "stdout", b"one\n"),
        StepOutput("b", "stderr", b"two\n"),
    )
    assert re.sub(r"\[.*?\]", "[t]", text) == (
        "1   : first\n\n2   : second\n\n1   : first\n1   : [t] | one\n\n2   : second\n2   : [t] | two\n\n"
    )


def test_output_is_shown_in_whole_lines_however_it_is_cut():
    text = lines(
        "logs",
        StepStarted("a", "s"),
        StepOutput("a", "stdout", b"on"),
        StepOutput("a", "stderr", b"error\n"),
        StepOutput("a", "stdout", "e\ntwö".encode()[:-1]),
        StepOutput("a", "stdout", "ö".encode()[1:]),
        StepEnded("a", 0.1, cached=False, error=None),
    )
    assert text == "▼ s\nerror\none\ntwö\n"


def test_a_line_that_redraws_itself_is_shown_as_it_ends():
    assert (
        lines("logs", StepStarted("a", "s"), StepOutput("a", "stdout", b"10%\r50%\r100%\r\n"))
        == "▼ s\n100%\n"
    )


def test_a_line_without_an_end_is_shown_in_pieces():
    text = lines("logs", StepStarted("a", "s"), StepOutput("a", "stdout", b"x" * 200_000))
    assert text.count("\n") == 4


def test_report_has_what_ran_what_failed_with_its_output_and_a_sum():
    said = StepOutput("c", "stderr", b"why\n")
    assert lines("report", *DONE, *CACHED, FAILED[0], said, FAILED[1]).splitlines() == [
        "✔ withExec make 1.2s",
        "$ withExec true 0.0s CACHED",
        "✘ withExec false 1m1s ERROR",
        "┃ why",
        "! exit code: 1",
        "",
        "1 done, 1 cached, 1 failed",
    ]


def test_a_failure_is_told_where_it_happened_not_in_every_step_around_it():
    text = lines(
        "report",
        StepStarted("a", "dockerBuild"),
        StepStarted("b", "withExec true", "a"),
        StepEnded("b", 0, cached=True, error=None),
        StepStarted("c", "withExec false", "a"),
        StepEnded("c", 0, cached=False, error="exit code: 1"),
        StepEnded("a", 0, cached=False, error="exit code: 1"),
    )
    assert text.splitlines()[:4] == [
        "✘ dockerBuild 0.0s ERROR",
        "├╴$ withExec true 0.0s CACHED",
        "╰╴✘ withExec false 0.0s ERROR",
        "  ! exit code: 1",
    ]


def test_plain_tells_again_at_the_end_what_failed_where_it_came_from_and_how_to_run_it_again():
    ending = Ending(("dagger", "run", "python", "a file.py"), exit_code=1)
    events = (
        StepStarted("a", "dockerBuild"),
        StepStarted("c", "withExec false", "a"),
        StepOutput("c", "stderr", b"why\n"),
        StepEnded("c", 0, cached=False, error="exit code: 1"),
        StepEnded("a", 0, cached=False, error="exit code: 1"),
    )
    assert lines("plain", *events, ending=ending).partition("\n\n")[2].splitlines() == [
        "✘ withExec false 0.0s ERROR",
        "┃ why",
        "! exit code: 1",
        "  in dockerBuild",
        "",
        "run it again:  dagger run python 'a file.py'",
        "look inside:   dagger -i run python 'a file.py'",
    ]


def test_a_failure_that_the_pipeline_meant_is_no_reason_to_run_it_again():
    ending = Ending(("dagger", "run", "x"), exit_code=0)
    for mode in ("plain", "dots", "logs", "report"):
        assert "again" not in lines(mode, *FAILED, ending=ending)


def test_plain_indents_a_step_below_the_one_that_it_is_a_part_of():
    text = lines("plain", StepStarted("a", "outer"), StepStarted("b", "inner", "a"))
    assert text == "1   : outer\n2   : ┆ inner\n\n"


def test_a_step_that_outlives_the_one_it_was_started_for_stands_by_itself():
    text = lines(
        "report",
        StepStarted("a", "withExec curl"),
        StepStarted("b", "service", "a"),
        StepEnded("a", 0, cached=False, error=None),
        StepEnded("b", 0, cached=False, error=None),
    )
    assert text.splitlines()[:2] == ["✔ withExec curl 0.0s", "✔ service 0.0s"]


def test_a_canceled_step_is_no_failure_to_tell_about():
    text = lines(
        "report", StepStarted("a", "x"), StepEnded("a", 0, cached=False, error="canceled", canceled=True)
    )
    assert text.splitlines()[0] == "∅ x 0.0s CANCELED"


def test_dots_has_a_sign_for_each_step_between_the_logs_then_the_report():
    text = lines("dots", *DONE, *CACHED, *FAILED)
    assert text.startswith("▼ withExec make\nx\n\n▶ ..X\n\n✔ withExec make 1.2s\n")


def test_dots_has_no_report_when_all_went_well():
    assert lines("dots", *CACHED) == "▶ .\n"


def test_quiet_has_nothing():
    assert lines("quiet", *DONE, *FAILED) == ""


@pytest.mark.parametrize("mode", ["plain", "logs", "dots", "report"])
def test_nothing_is_shown_when_nothing_happened(mode):
    assert lines(mode) == ""


def test_auto_is_plain_where_there_is_no_terminal():
    assert lines("auto", *CACHED) == lines("plain", *CACHED)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0s"), (59.94, "59.9s"), (60, "1m0s"), (3599.6, "1h0m0s"), (3663, "1h1m3s")]
)
def test_durations_are_written_as_dagger_does(seconds, text):
    assert duration(seconds) == text


def test_a_slow_terminal_does_not_hold_up_the_session():
    class Stuck(io.StringIO):
        free = threading.Event()

        def write(self, text: str) -> int:
            self.free.wait()
            return super().write(text)

    to = Stuck()
    with Writer(to) as writer:
        for number in range(1000):
            writer.write(f"{number}\n")
        assert to.getvalue() == ""
        to.free.set()
    assert to.getvalue().count("\n") == 1000


def test_a_terminal_that_has_gone_does_not_end_the_session():
    to = io.StringIO()
    to.close()
    with Writer(to) as writer:
        writer.write("x")


def test_nothing_is_written_while_somebody_else_has_the_terminal():
    to, hub = io.StringIO(), Events()
    with shown(hub, "plain", to):
        hub.emit(StepStarted("a", "before"))
        hub.emit(TerminalOpened())
        assert to.getvalue() == "1   : before\n"
        hub.emit(StepStarted("b", "meanwhile"))
        assert to.getvalue() == "1   : before\n"
        hub.emit(TerminalClosed())
    assert "meanwhile" in to.getvalue()
