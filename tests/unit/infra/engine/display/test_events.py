"""Events in the shape that Pulumi's event log has: the SDK's own reader understands each."""

import json

import pytest
from pulumi.automation.events import EngineEvent

from infra.engine.display import events
from infra.engine.display.log import EventLog, Lines

STATE = events.StepState("t:t:T", "urn:u", custom=True, id="i", inputs={"a": 1}, outputs={"b": 2})
STEP = events.Step(
    "update", "urn:u", "t:t:T", STATE, STATE, ("k",), ("a",), {"a": events.PropertyDiff("update")}
)


@pytest.mark.parametrize(
    ("event", "attribute"),
    [
        (events.PreludeEvent({"a:b": "c"}), "prelude_event"),
        (events.DiagnosticEvent("m\n", "warning", "urn:u", "warning: "), "diagnostic_event"),
        (events.ResourcePreEvent(STEP, planning=True), "resource_pre_event"),
        (events.ResOutputsEvent(STEP), "res_outputs_event"),
        (events.ResOpFailedEvent(STEP, 1, 2), "res_op_failed_event"),
        (events.SummaryEvent({"create": 1}, 2), "summary_event"),
        (events.StdoutEvent("x"), "stdout_event"),
        (events.CancelEvent(), "cancel_event"),
    ],
)
def test_the_sdk_reads_what_is_written(event, attribute):
    read = EngineEvent.from_json(json.loads(json.dumps(events.to_json(event, 7, 1700000000))))
    assert (read.sequence, read.timestamp) == (7, 1700000000)
    assert getattr(read, attribute) is not None


def test_a_step_keeps_its_details():
    read = EngineEvent.from_json(events.to_json(events.ResourcePreEvent(STEP), 0, 0)).resource_pre_event
    assert read.metadata.op == "update"
    assert read.metadata.detailed_diff["a"].diff_kind == "update"
    assert read.metadata.new.outputs == {"b": 2}


def test_a_log_has_a_line_for_each_event(tmp_path):
    path = tmp_path / "log"
    with EventLog(str(path)) as log, path.open(encoding="utf-8") as file:
        log(events.PreludeEvent())
        assert json.loads(file.readline())["sequence"] == 0  # there before the operation is over
        log(events.CancelEvent())
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [list(line)[2] for line in lines] == ["preludeEvent", "cancelEvent"]


def test_events_go_to_standard_output_as_lines(capsys):
    import sys

    Lines(sys.stdout)(events.CancelEvent())
    assert json.loads(capsys.readouterr().out)["cancelEvent"] == {}


def test_a_secret_is_a_secret_to_who_reads_the_log_and_the_same_words_of_a_user_s_are_not():
    inputs = {"quiet": [events.BLINDED], "loud": "[secret]"}
    step = events.Step("same", "urn:u", "t:t:T", new=events.StepState("t:t:T", "urn:u", inputs=inputs))
    read = EngineEvent.from_json(json.loads(json.dumps(events.to_json(events.ResOutputsEvent(step), 0, 0))))
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    assert read.res_outputs_event.metadata.new.inputs == {"quiet": [mark], "loud": "[secret]"}


def test_no_log_has_a_secret_in_plain_even_where_the_display_shows_it():
    shown = events.StepState(
        "t:t:T", "urn:u", inputs={"key": "hush"}, logged=({"key": events.BLINDED}, {"key": events.BLINDED})
    )
    step = events.Step("same", "urn:u", "t:t:T", new=shown)
    assert "hush" not in json.dumps(events.to_json(events.ResOutputsEvent(step), 0, 0))
