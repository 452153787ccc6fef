"""A failure is told in a user's words: the command, its exit code, its last lines, how to run it again."""

import dagger
import gql
from dagger._exceptions import QueryErrorValue

from ci.report.failure import describe
from ci.stages.result import StageFailed
from ci.stages.step import WITH_NOTE

REQUEST = gql.gql("{ version }")


def exec_error(stdout="", stderr=""):
    command = ["sh", "-c", WITH_NOTE, "step", "ruff", "check", "a file.py", "https://u:p@host"]
    extensions = {"_type": "EXEC_ERROR", "cmd": command, "exitCode": 2, "stdout": stdout, "stderr": stderr}
    return dagger.QueryError([QueryErrorValue("process did not complete", extensions=extensions)], REQUEST)


def test_a_steps_command_is_shown_so_that_it_can_be_typed():
    told = describe(exec_error(), "again")
    [step] = told.steps
    assert step.command == "ruff check 'a file.py' https://***@host"
    assert step.exit_code == 2
    assert step.output == {}
    assert told.message == "A step failed."
    assert told.again == "again"
    assert not told.engine


def test_only_the_last_lines_are_shown_and_no_credentials():
    stderr = "\n".join(f"line {n}" for n in range(100)) + "\nhttps://user:secret@host/simple\n"
    [step] = describe(exec_error("fine\n", stderr), "").steps
    assert step.output["stdout"] == "fine"
    lines = step.output["stderr"].splitlines()
    assert len(lines) == 20
    assert lines[-2:] == ["line 99", "https://***@host/simple"]


def test_every_step_that_failed_in_a_group_is_told():
    told = describe(ExceptionGroup("", [ExceptionGroup("", [exec_error("a"), exec_error("b")])]), "")
    assert told.message == "2 steps failed."
    assert [step.output for step in told.steps] == [{"stdout": "a"}, {"stdout": "b"}]


def test_a_stages_own_verdict_is_its_message():
    told = describe(StageFailed("The model misses its threshold for ece.", {"gate": []}), "")
    assert told.message == "The model misses its threshold for ece."
    assert not told.engine


def test_what_the_engine_could_not_do_is_told_apart():
    error = dagger.QueryError(
        [QueryErrorValue("pull https://u:p@registry: no space left on device")], REQUEST
    )
    told = describe(error, "")
    assert told.engine
    assert told.message == "The engine could not do it: pull https://***@registry: no space left on device"
