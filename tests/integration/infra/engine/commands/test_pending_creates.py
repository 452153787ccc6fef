"""A create whose end nobody knows: what the user says of it, ``pulumi refresh`` takes down."""

import contextlib
import json
import os
import subprocess
import sys

import pytest

from tests.integration.infra.engine.commands.conftest import ROOT

PROGRAM = """
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("made", props)

    def read(self, id, props):
        return ReadResult(id if id != "nowhere" else "", props)

class Thing(Resource):
    pass

Thing(Provider(), "thing", {"value": 1})
"""
URN = "urn:pulumi:dev::shop::pulumi-python:dynamic:Resource::thing"


@pytest.fixture
def interrupted(dev):
    """A stack with a pending create, in place of the resource that it has made."""
    dev.program(PROGRAM)
    dev.run("up", "--yes", "--skip-preview")
    state = json.loads(dev.run("stack", "export"))
    resources = state["deployment"]["resources"]
    (thing,) = [each for each in resources if each["urn"].endswith("::thing")]
    resources.remove(thing)
    for made in ("id", "outputs", "created", "modified"):
        thing.pop(made, None)
    state["deployment"]["pending_operations"] = [{"resource": thing, "type": "creating"}]
    (dev.project / "state.json").write_text(json.dumps(state))
    dev.run("stack", "import", "--force", "--file", "state.json")
    return dev


def state_of(shell):
    """The ids of things, and what is pending."""
    deployment = json.loads(shell.run("stack", "export"))["deployment"]
    ids = [each["id"] for each in deployment["resources"] if each["urn"].endswith("::thing")]
    return ids, [each["type"] for each in deployment.get("pending_operations") or ()]


def test_it_stays_pending_as_long_as_nothing_is_said(interrupted):
    assert "interrupted while creating" in interrupted.run("refresh", "--yes")
    assert state_of(interrupted) == ([], ["creating"])


def test_one_that_has_succeeded_is_imported_by_its_id(interrupted):
    interrupted.run(
        "refresh", "--yes", "--import-pending-creates", URN, "--import-pending-creates", "made elsewhere"
    )
    assert state_of(interrupted) == (["made elsewhere"], [])
    assert "unchanged" in interrupted.run("up", "--yes", "--expect-no-changes")


def test_an_id_that_there_is_not_is_told(interrupted):
    words = ("--import-pending-creates", URN, "--import-pending-creates", "nowhere")
    assert "the ID 'nowhere': the pending create is forgotten" in interrupted.run("refresh", "-y", *words)
    assert state_of(interrupted) == ([], [])


def test_one_that_has_failed_is_cleared(interrupted):
    interrupted.run("refresh", "--yes", "--clear-pending-creates")
    assert state_of(interrupted) == ([], [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--import-pending-creates", URN), "each URN must be followed by an ID"),
        (
            ("--skip-pending-creates", "--clear-pending-creates"),
            "cannot set both --skip-pending-creates and --clear-pending-creates",
        ),
    ],
)
def test_flags_that_make_no_sense_are_refused(interrupted, words, said):
    assert said in interrupted.run("refresh", "--yes", *words, code=1)
    assert state_of(interrupted) == ([], ["creating"])


def test_a_urn_that_no_create_has_is_named(interrupted):
    words = ("--import-pending-creates", f"{URN}-else", "--import-pending-creates", "made")
    said = interrupted.result("refresh", "--yes", *words).err
    assert f'"{URN}-else" did not correspond to a pending create' in said


def test_at_a_terminal_the_user_is_asked(interrupted):
    theirs, ours = os.openpty()
    command = (sys.executable, "-m", "infra.engine.cli", "--embedded", "refresh")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    os.write(theirs, b"3\nmade by hand\nyes\n")
    terminal = {"stdin": ours, "stdout": ours, "stderr": ours}
    with subprocess.Popen(command, cwd=interrupted.project, env=environment, **terminal) as process:
        os.close(ours)
        said = b""
        with contextlib.suppress(OSError):  # at the end of a terminal
            while part := os.read(theirs, 4096):
                said += part
    os.close(theirs)
    assert process.returncode == 0, said
    assert f"Options for pending CREATE of {URN}".encode() in said
    assert state_of(interrupted) == (["made by hand"], [])
