"""Who serves: the embedded engine, or another `dagger` that has an engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci.engine.commands.handover import ChoiceError, choose

ROOT = Path(__file__).parents[5]


@pytest.fixture
def machine(tmp_path):
    """A machine whose PATH has only what a test puts there."""

    class Machine:
        def __init__(self):
            self.environ = {"PATH": f"{tmp_path}/first:{tmp_path}/second"}

        def has(self, name: str, script: str, folder: str = "first") -> Path:
            path = tmp_path / folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
            return path

    return Machine()


def test_where_there_is_no_other_dagger_the_engine_is_embedded(machine):
    choice = choose(None, machine.environ)
    assert choice.program is None
    assert choice.line == "dagger: serving from the embedded engine (no other dagger on PATH)"


def test_a_dagger_whose_container_runtime_answers_serves(machine):
    real = machine.has("dagger", "")
    machine.has("docker", "exit 0")
    choice = choose(None, machine.environ)
    assert choice.program == real
    assert choice.line == f"dagger: handing over to {real} (engine: docker)"


@pytest.mark.parametrize("docker", ["exit 1", None])
def test_a_dagger_without_an_engine_does_not_serve(machine, docker):
    real = machine.has("dagger", "")
    if docker:
        machine.has("docker", docker)
    choice = choose(None, machine.environ)
    assert choice.program is None
    assert f"{real} has no engine" in choice.line


def test_a_runtime_that_does_not_answer_is_not_waited_for(machine, monkeypatch):
    machine.has("dagger", "")
    machine.has("docker", "exec /bin/sleep 60")
    monkeypatch.setattr("ci.engine.commands.handover.RUNTIME_SECONDS", 0.1)
    assert choose(None, machine.environ).program is None


def test_a_remote_engine_is_enough(machine):
    real = machine.has("dagger", "")
    environ = machine.environ | {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": "tcp://10.0.0.1:1234"}
    assert choose(None, environ).program == real


def test_our_own_launcher_is_never_handed_over_to(machine):
    machine.has("dagger", "# from ci.engine.cli import main")
    machine.has("docker", "exit 0")
    assert choose(None, machine.environ).program is None
    real = machine.has("dagger", "", folder="second")
    assert choose(None, machine.environ).program == real


@pytest.mark.parametrize(
    ("flag", "variable", "embedded"),
    [
        (True, None, True),
        (True, "real", True),
        (None, "embedded", True),
        (False, None, False),
        (False, "embedded", False),
        (None, "real", False),
    ],
)
def test_the_choice_can_be_forced_and_a_flag_wins_over_the_variable(machine, flag, variable, embedded):
    machine.has("dagger", "")
    environ = machine.environ | ({"SHIPWAY_DAGGER": variable} if variable else {})
    assert (choose(flag, environ).program is None) is embedded


def test_asking_for_the_real_one_where_there_is_none_is_an_error(machine):
    with pytest.raises(ChoiceError, match="none on PATH"):
        choose(embedded=False, environ=machine.environ)


def test_a_variable_that_says_something_else_is_an_error(machine):
    with pytest.raises(ChoiceError, match='SHIPWAY_DAGGER is "yes"'):
        choose(None, machine.environ | {"SHIPWAY_DAGGER": "yes"})


@pytest.mark.parametrize(
    ("given", "received"),
    [
        (("call", "test", "--x=1"), "call test --x=1"),
        (
            ("--no-embedded", "--progress", "plain", "run", "x", "--embedded"),
            "--progress plain run x --embedded",
        ),
        (("run", "--no-embedded", "x"), "run x"),
        (("unheard-of", "--of"), "unheard-of --of"),
    ],
)
def test_the_real_dagger_gets_the_arguments_as_they_were_and_its_exit_code_counts(machine, given, received):
    machine.has("dagger", 'echo "$@"; exit 9')
    machine.has("docker", "exit 0")
    environ = {**os.environ, **machine.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("SHIPWAY_DAGGER", None)
    done = subprocess.run(
        [sys.executable, "-m", "ci.engine.cli", *given],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (9, received + "\n")
    assert done.stderr.startswith("dagger: handing over to ")
