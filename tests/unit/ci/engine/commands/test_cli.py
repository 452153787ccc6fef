"""The command line, as far as it needs no engine."""

import pytest

from ci.engine import cli
from ci.engine.cli import main


@pytest.fixture(autouse=True)
def _embedded(monkeypatch):
    monkeypatch.setenv("SHIPWAY_DAGGER", "embedded")
    for name in ("DAGGER_PROGRESS", "DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_version_has_the_shape_of_the_real_ones(capsys):
    assert main(["version"]) == 0
    words = capsys.readouterr().out.split()
    assert words[0] == "dagger"
    assert words[1].startswith("v0.")
    assert words[2] == "(embedded)"
    assert words[3].startswith("linux/")


@pytest.mark.parametrize("command", ["shell", "login"])
def test_a_command_that_is_not_served_yet_is_told_by_name(capsys, command):
    assert main([command, "anything", "--at", "all"]) == 1
    assert capsys.readouterr().err.startswith(f"Error: `dagger {command}`")


@pytest.mark.parametrize(
    "arguments", [["nope"], [], ["run", "--nope", "x"], ["--progress", "nope", "run", "x"]]
)
def test_a_wrong_command_line_says_so_and_exits_with_1(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert "--help' for usage." in error


@pytest.mark.parametrize("command", [["run", "true"], ["query"], ["session"]])
@pytest.mark.parametrize(
    ("progress", "message"),
    [("tty", 'no tty available for progress "tty"'), ("nope", 'unknown progress type "nope"')],
)
def test_a_way_of_showing_progress_that_cannot_be_had_is_told(
    capsys, monkeypatch, command, progress, message
):
    monkeypatch.setenv("DAGGER_PROGRESS", progress)
    assert main(command) == 1
    assert f"Error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "own", "theirs"),
    [
        (["run", "a", "--b"], ["run"], ["a", "--b"]),
        (["run", "--progress", "plain", "a"], ["run", "--progress", "plain"], ["a"]),
        (["--workdir", "w", "r", "--", "--a"], ["--workdir", "w", "r"], ["--a"]),
        (["run", "--progress=plain", "run", "run"], ["run", "--progress=plain"], ["run", "run"]),
        (["query", "run", "a"], ["query", "run", "a"], []),
        (["session", "--label", "a:b"], ["session", "--label", "a:b"], []),
    ],
)
def test_the_command_to_run_is_told_from_the_options_before_it(arguments, own, theirs):
    assert cli._split(arguments) == (own, theirs)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400), ("3", 3)]
)
def test_lengths_of_time_are_written_as_in_go(text, seconds):
    assert cli._seconds(text) == seconds
