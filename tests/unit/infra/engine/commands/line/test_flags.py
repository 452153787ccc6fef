"""The command line is read as Go's pflag reads it."""

import pytest

from infra.engine.commands.line.flags import Flag, UsageError, command_words, parse

FLAGS = (
    Flag("yes", short="y"),
    Flag("stack", short="s", kind="string"),
    Flag("parallel", short="p", kind="int", default=16),
    Flag("target", short="t", kind="list"),
    Flag("refresh", short="r", kind="optional"),
    Flag("protect", default=True),
)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--yes"], "yes", True),
        (["--yes=false"], "yes", False),
        (["--stack", "dev"], "stack", "dev"),
        (["--stack=a=b"], "stack", "a=b"),
        (["-sdev"], "stack", "dev"),
        (["-ys", "dev"], "stack", "dev"),
        (["-p", "3"], "parallel", 3),
        ([], "parallel", 16),
        (["-t", "a", "--target=b"], "target", ["a", "b"]),
        (["-r"], "refresh", "true"),
        (["--refresh=false"], "refresh", "false"),
        (["--protect=false"], "protect", False),
        ([], "stack", ""),
    ],
)
def test_values(words, name, value):
    assert parse(words, FLAGS).values[name] == value


def test_words_may_stand_anywhere_and_all_after_the_dashes_are_words():
    parsed = parse(["a", "-y", "b", "--", "--stack"], FLAGS)
    assert parsed.words == ("a", "b", "--stack")
    assert parsed.given == {"yes"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bogus"], "unknown flag: --bogus"),
        (["-yz"], "unknown shorthand flag: 'z' in -yz"),
        (["--stack"], "flag needs an argument: --stack"),
        (["-s"], "flag needs an argument: 's' in -s"),
        (["--parallel", "x"], 'invalid argument "x" for "--parallel" flag'),
        (["--yes=maybe"], 'invalid argument "maybe" for "--yes" flag'),
    ],
)
def test_what_cannot_be_read_is_told_in_the_words_of_the_real_cli(words, message):
    with pytest.raises(UsageError, match=message):
        parse(words, FLAGS)


def test_the_value_of_a_flag_is_no_command():
    assert command_words(["-s", "stack", "up", "--", "x"], FLAGS) == [2]
