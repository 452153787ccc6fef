"""What an operation shows, as the Pulumi CLI shows it.

The expected texts are recorded from `pulumi preview` and `up` of the Pulumi CLI (main of November 2026),
run without a terminal on a program with a component, a resource in it and one beside it; dots and durations
are left out.
"""

import io
import re

import pytest

from infra.engine.display.diff import DiffView
from infra.engine.display.events import (
    DiagnosticEvent,
    PolicyEvent,
    PreludeEvent,
    ResOpFailedEvent,
    ResourcePreEvent,
    ResOutputsEvent,
    Step,
    StepState,
    SummaryEvent,
)
from infra.engine.display.options import Options
from infra.engine.display.progress import ProgressView

PREFIX = "urn:pulumi:dev::peer::"
ROOT = f"{PREFIX}pulumi:pulumi:Stack::peer-dev"
SECOND = f"{PREFIX}pulumi-python:dynamic:Resource::second"
TYPE = "pulumi-python:dynamic:Resource"
STACK = "pulumi:pulumi:Stack"
PROVIDER = f"{PREFIX}pulumi:providers:pulumi-python::default::1"


def state(urn, type_, inputs=None, outputs=None, **fields):
    parent = "" if urn == ROOT else ROOT
    return StepState(
        type_, urn, type_ != STACK, inputs=inputs or {}, outputs=outputs or {}, parent=parent, **fields
    )


def root(op, old=None, new=None):
    return Step(op, ROOT, STACK, old, new)


def step(op, old, new, **fields):
    return Step(op, SECOND, TYPE, old, new, provider=PROVIDER, **fields)


def shown(view_of, events, **options):
    out = io.StringIO()
    view = view_of(Options(out, out, **options))
    for event in events:
        view(event)
    text = re.sub(r"\d+\.\d\ds", "Ns", out.getvalue())
    text = re.sub(r"Duration: \w+", "Duration: N", text)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


def progress(events, **options):
    return shown(lambda given: ProgressView(given, ROOT), events, **options)


OLD_INPUTS = {
    "__provider": "[secret]",
    "list": [1, 2.5, {"a": True}],
    "name": "one2",
    "size": 1,
    "tags": {"x": "y", "z": "0"},
}
NEW_INPUTS = OLD_INPUTS | {"size": 5, "tags": {"x": "y", "z": "1"}}
OLD_OUTPUTS = {"name": "one", "num": 3, "secret": "[secret]"}


def preview_of_an_update():
    same = root("same", state(ROOT, STACK, {}, OLD_OUTPUTS), state(ROOT, STACK))
    done = root("same", state(ROOT, STACK, {}, OLD_OUTPUTS), state(ROOT, STACK, {}, OLD_OUTPUTS | {"num": 5}))
    update = step(
        "update",
        state(SECOND, TYPE, OLD_INPUTS, OLD_INPUTS | {"out": 1.5}, id="id-one2"),
        state(SECOND, TYPE, NEW_INPUTS),
    )
    return [
        PreludeEvent({}),
        ResourcePreEvent(same, planning=True),
        ResourcePreEvent(update, planning=True),
        ResOutputsEvent(update, planning=True),
        DiagnosticEvent("hello info\n", "info", SECOND),
        ResOutputsEvent(done, planning=True),
        SummaryEvent({"same": 4, "update": 1}, is_preview=True),
    ]


def test_a_preview_is_told_line_by_line():
    assert (
        progress(preview_of_an_update())
        == """\
    pulumi:pulumi:Stack peer-dev running
 ~  pulumi-python:dynamic:Resource second update [diff: ~size,tags]
 ~  pulumi-python:dynamic:Resource second update [diff: ~size,tags]; hello info
    pulumi:pulumi:Stack peer-dev
Diagnostics:
  pulumi-python:dynamic:Resource (second):
    hello info

Outputs:
  ~ num   : 3 => 5

Resources:
    ~ 1 to update
    4 unchanged

"""
    )


def test_a_diff_shows_what_changes_and_what_stays():
    assert (
        shown(DiffView, preview_of_an_update())
        == """\
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:dev::peer::pulumi:pulumi:Stack::peer-dev]
    ~ pulumi-python:dynamic:Resource: (update)
        [id=id-one2]
        [urn=urn:pulumi:dev::peer::pulumi-python:dynamic:Resource::second]
        list: [
            [0]: 1
            [1]: 2.5
            [2]: {
                a: true
            }
        ]
        name: "one2"
      ~ size: 1 => 5
      ~ tags: {
            x: "y"
          ~ z: "0" => "1"
        }
hello info
    --outputs:--
  ~ num   : 3 => 5
Resources:
    ~ 1 to update
    4 unchanged
"""
    )


def test_what_is_created_is_shown_with_all_its_inputs():
    create = step("create", None, state(SECOND, TYPE, OLD_INPUTS))
    assert (
        shown(DiffView, [ResourcePreEvent(create, planning=True)])
        == """\
+ pulumi-python:dynamic:Resource: (create)
    [urn=urn:pulumi:dev::peer::pulumi-python:dynamic:Resource::second]
    list      : [
        [0]: 1
        [1]: 2.5
        [2]: {
            a: true
        }
    ]
    name      : "one2"
    size      : 1
    tags      : {
        x: "y"
        z: "0"
    }
"""
    )


def test_an_update_ends_with_the_outputs_and_how_long_it_took():
    create = step("create", None, state(SECOND, TYPE, OLD_INPUTS))
    outputs = root("create", None, state(ROOT, STACK, {}, OLD_OUTPUTS))
    events = [
        ResourcePreEvent(root("create", None, state(ROOT, STACK))),
        ResourcePreEvent(create),
        ResOutputsEvent(create),
        ResOutputsEvent(outputs),
        SummaryEvent({"create": 2}),
    ]
    assert (
        progress(events)
        == """\
 +  pulumi:pulumi:Stack peer-dev creating (0s)
 +  pulumi-python:dynamic:Resource second creating (0s)
 +  pulumi-python:dynamic:Resource second created (Ns)
 +  pulumi:pulumi:Stack peer-dev created (Ns)
Outputs:
    name  : "one"
    num   : 3
    secret: [secret]

Resources:
    + 2 created

Duration: N

"""
    )
    assert "Outputs" not in progress(events, suppress_outputs=True)


def test_what_failed_is_told_by_the_resource_it_failed_for():
    delete = step("delete", state(SECOND, TYPE, protect=True), None)
    text = progress([
        ResourcePreEvent(delete),
        DiagnosticEvent("it is protected\n", "error", SECOND, prefix="error: "),
        ResOpFailedEvent(delete),
        DiagnosticEvent("update failed\n", "error", prefix="error: "),
        SummaryEvent({}, result="failed"),
    ])  # fmt: skip
    assert " -  pulumi-python:dynamic:Resource second **deleting failed** error: it is protected\n" in text
    assert "    error: it is protected\n" in text
    assert "    2 errored\n" in text


def test_a_replacement_is_one_thing_to_the_user():
    old, new = state(SECOND, TYPE, {"name": "a"}, id="1"), state(SECOND, TYPE, {"name": "b"})
    events = [ResourcePreEvent(step(op, old, new), planning=True) for op in ("create-replacement", "replace")]
    text = shown(DiffView, [*events, SummaryEvent({"replace": 2, "same": 3}, is_preview=True)])
    assert text.count("(replace)") == 1
    assert "create-replacement" not in text
    assert '  ~ name: "a" => "b"\n' in text
    assert "    +-2 to replace\n    3 unchanged\n" in text


def test_several_kinds_of_change_are_added_up():
    text = progress([SummaryEvent({"create": 1, "delete": 2, "same": 3}, is_preview=True)])
    assert "    + 1 to create\n    - 2 to delete\n    3 changes. 3 unchanged\n" in text


@pytest.mark.parametrize(
    ("before", "after", "lock"), [(False, True, " 🔒"), (True, False, " 🔓"), (False, False, "")]
)
def test_protection_shows(before, after, lock):
    change = step("update", state(SECOND, TYPE, protect=before), state(SECOND, TYPE, protect=after))
    assert f"(update){lock}\n" in shown(DiffView, [ResourcePreEvent(change)])


def test_debugging_is_shown_on_demand():
    events = [DiagnosticEvent("inner\n", "debug", prefix="debug: ")]
    assert shown(DiffView, events) == ""
    assert shown(DiffView, events, debug=True) == "debug: inner\n"


def test_the_configuration_is_shown_on_demand():
    assert shown(DiffView, [PreludeEvent({"b:c": "2", "a:b": "1"})], show_config=True) == (
        "Configuration:\n    a:b: 1\n    b:c: 2\n"
    )


def test_a_violated_policy_is_told():
    event = PolicyEvent(SECOND, "It must have probes.", "probes-set", "shipway", "1.0.0")
    assert shown(DiffView, [event]) == (
        "    shipway@v1.0.0 [mandatory]  probes-set  (pulumi-python:dynamic:Resource: second)\n    It"
        " must have probes.\n"
    )


def test_a_component_without_outputs_is_done_when_everything_is():
    box = step("create", None, StepState("t:i:Box", SECOND, parent=ROOT))
    text = progress([
        ResourcePreEvent(box),
        DiagnosticEvent("hello\n", "info", SECOND),
        SummaryEvent({"create": 1}),
    ])  # fmt: skip
    assert " +  pulumi-python:dynamic:Resource second creating (0s) hello\n" in text
    assert " +  pulumi-python:dynamic:Resource second created 1 message\n" in text


def test_what_was_under_way_when_it_was_ended_is_not_told_as_done():
    text = progress([
        ResourcePreEvent(step("create", None, state(SECOND, TYPE))),
        SummaryEvent({}, result="canceled"),
    ])  # fmt: skip
    assert " +  pulumi-python:dynamic:Resource second creating (interrupted)\n" in text


def test_a_program_that_fails_while_its_stack_is_made_is_told_so():
    text = progress([
        ResourcePreEvent(root("create", None, state(ROOT, STACK))),
        DiagnosticEvent("no\n", "error", prefix="error: "),
        SummaryEvent({"create": 1}, result="failed"),
    ])  # fmt: skip
    assert " +  pulumi:pulumi:Stack peer-dev **creating failed** 1 error\n" in text


def test_outputs_that_go_with_the_stack_are_told():
    gone = root("delete", state(ROOT, STACK, outputs={"url": "u"}), None)
    text = progress([ResourcePreEvent(gone), ResOutputsEvent(gone), SummaryEvent({"delete": 1})])
    assert 'Outputs:\n  - url: "u"\n' in text
