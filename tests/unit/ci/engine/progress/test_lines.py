"""Progress as lines of text."""

import io
import re
import threading

import pytest

from ci.engine.events import Events, StepEnded, StepOutput, StepStarted
from ci.engine.progress import shown
from ci.engine.progress.lines import Plain
from ci.engine.progress.steps import Steps, duration
from ci.engine.progress.writer import Writer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(mode: str, *events) -> str:
    to = io.StringIO()
    hub = Events()
    with shown(hub, mode, to):
        for event in events:
            hub.emit(event)
    return to.getvalue()


DONE = (
    StepStarted("a", "exec make"),
    StepOutput("a", "stdout", b"x\n"),
    StepEnded("a", 1.24, cached=False, error=None),
)
CACHED = StepStarted("b", "exec true"), StepEnded("b", 0.0, cached=True, error=None)
FAILED = StepStarted("c", "exec false"), StepEnded("c", 61.0, cached=False, error="exit code: 1")


def test_plain_has_every_step_its_output_and_how_it_ended():
    clock, out = Clock(), io.StringIO()
    plain = Plain(out.write, Steps(clock))
    plain.show(DONE[0])
    clock.now = 0.5
    plain.show(DONE[1])
    for event in (*DONE[2:], *CACHED, *FAILED):
        plain.show(event)
    plain.close()
    assert out.getvalue() == (
        "1   : exec make\n"
        "1   : [0.5s] | x\n"
        "1   : exec make DONE [1.2s]\n"
        "\n"
        "2   : exec true\n"
        "2   : exec true CACHED [0.0s]\n"
        "\n"
        "3   : exec false\n"
        "3   : exec false ERROR [1m1s]\n"
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
    assert text == "[s] error\n[s] one\n[s] twö\n"


def test_a_line_that_redraws_itself_is_shown_as_it_ends():
    assert (
        lines("logs", StepStarted("a", "s"), StepOutput("a", "stdout", b"10%\r50%\r100%\r\n")) == "[s] 100%\n"
    )


def test_a_line_without_an_end_is_shown_in_pieces():
    text = lines("logs", StepStarted("a", "s"), StepOutput("a", "stdout", b"x" * 200_000))
    assert text.count("\n") == 3


def test_report_has_failures_and_a_sum():
    assert lines("report", *DONE, *CACHED, *FAILED) == (
        "exec false ERROR [1m1s]\n! exit code: 1\n1 done, 1 cached, 1 failed\n"
    )


def test_dots_has_a_sign_for_each_step_then_the_report():
    assert lines("dots", *DONE, *CACHED, *FAILED).splitlines()[0] == ".$x"


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
