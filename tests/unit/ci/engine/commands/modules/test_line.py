"""The commands about modules, as far as they need no session."""

import pytest

from ci.engine.cli import main


@pytest.fixture(autouse=True)
def _embedded(monkeypatch):
    monkeypatch.setenv("SHIPWAY_DAGGER", "embedded")


@pytest.mark.parametrize(
    "command", ["functions", "init", "develop", "install", "uninstall", "update", "config", "check"]
)
def test_each_command_has_help(capsys, command):
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"\nUSAGE\n  dagger {command} [options]" in told
    assert "\nOPTIONS\n" in told
    assert "\nINHERITED OPTIONS\n" in told


@pytest.mark.parametrize(
    ("arguments", "complaint", "path"),
    [
        (["install"], "accepts 1 arg(s), received 0", "dagger install"),
        (["uninstall", "a", "b"], "accepts 1 arg(s), received 2", "dagger uninstall"),
        (["init", "a", "b"], "accepts at most 1 arg(s), received 2", "dagger init"),
        (["develop", "a"], 'unknown command "a" for "dagger develop"', "dagger develop"),
        (["config", "--nope"], "unknown flag: --nope", "dagger config"),
        (["use", "-n"], "flag needs an argument: 'n' in -n", "dagger install"),
    ],
)
def test_a_command_line_that_is_none_is_told_with_the_help_to_ask_for(capsys, arguments, complaint, path):
    assert main(arguments) == 1
    assert capsys.readouterr().err == f"Error: {complaint}\nRun '{path} --help' for usage.\n"


def test_flags_may_stand_before_the_command(capsys):
    assert main(["--progress", "plain", "-m", "x", "config", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Show the configuration")


def test_the_list_of_commands_has_them(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(name in told for name in ("call", "core", "functions", "init", "check"))
