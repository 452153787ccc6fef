"""Flags as Go's pflag reads them: this command line takes what the real one takes, and complains alike."""

import pytest

from ci.engine.commands.arguments.flags import Flag, FlagError, Flags, parse
from ci.engine.commands.arguments.kinds import (
    COUNT,
    INTEGER,
    INTEGERS,
    NUMBER,
    SWITCH,
    SWITCHES,
    TEXTS,
    made,
    several,
)
from ci.engine.modules.types.names import kebab

BIG = "9" * 20
FLAGS = Flags(
    (
        Flag("name", short="n"),
        Flag("count", INTEGER),
        Flag("factor", NUMBER),
        Flag("loud", SWITCH, short="l"),
        Flag("verbose", COUNT, short="v"),
        Flag("words", TEXTS),
        Flag("numbers", INTEGERS),
        Flag("answers", SWITCHES),
        Flag("dirs", several(made("Directory", str))),
        Flag("compat", absent="skip"),
    ),
    kebab,
)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--name", "x"], {"name": "x"}),
        (["--name=x=y"], {"name": "x=y"}),
        (["--name="], {"name": ""}),
        (["-n", "x"], {"name": "x"}),
        (["-nx"], {"name": "x"}),
        (["-n=x"], {"name": "x"}),
        (["-ln", "x"], {"loud": True, "name": "x"}),
        (["--loud"], {"loud": True}),
        (["--loud=false"], {"loud": False}),
        (["--loud=F"], {"loud": False}),
        (["--count", "-3"], {"count": -3}),
        (["--count=0x10"], {"count": 16}),
        (["--count=010"], {"count": 8}),
        (["--count=1_000"], {"count": 1000}),
        (["--factor", "1e3"], {"factor": 1000.0}),
        (["-vvv"], {"verbose": [1, 1, 1]}),
        (["--words", "a,b", "--words=c"], {"words": ["a", "b", "c"]}),
        (["--words", '"a,b",c'], {"words": ["a,b", "c"]}),
        (["--words", ""], {"words": []}),
        (["--numbers", "1,2", "--numbers", "3"], {"numbers": [1, 2, 3]}),
        (["--answers", "true, F"], {"answers": [True, False]}),
        (["--dirs", "a, b"], {"dirs": ["a", "b"]}),
        (["--dirs", "'a',\"b\""], {"dirs": ["a", "b"]}),
        (["--compat"], {"compat": "skip"}),
        (["--compat=v1"], {"compat": "v1"}),
        (["--Name", "x"], {"name": "x"}),
        (["--count", "1", "--count", "2"], {"count": 2}),
    ],
)
def test_values_are_read_as_the_real_command_line_reads_them(words, values):
    assert parse(FLAGS, words).values == values


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["--nope=1"], "unknown flag: --nope"),
        (["-lx"], "unknown shorthand flag: 'x' in -lx"),
        (["--name"], "flag needs an argument: --name"),
        (["-n"], "flag needs an argument: 'n' in -n"),
        (["---name"], "bad flag syntax: ---name"),
        (["--=x"], "bad flag syntax: --=x"),
        (
            ["--count", "many"],
            'invalid argument "many" for "--count" flag: strconv.ParseInt: parsing "many": invalid syntax',
        ),
        (
            ["--count", BIG],
            'invalid argument "BIG" for "--count" flag: strconv.ParseInt: parsing "BIG": value out of range',
        ),
        (
            ["--factor", "x"],
            'invalid argument "x" for "--factor" flag: strconv.ParseFloat: parsing "x": invalid syntax',
        ),
        (
            ["-l=x"],
            'invalid argument "x" for "-l, --loud" flag: strconv.ParseBool: parsing "x": invalid syntax',
        ),
        (
            ["--numbers", "1,x"],
            'invalid argument "1,x" for "--numbers" flag: strconv.Atoi: parsing "x": invalid syntax',
        ),
    ],
)
def test_a_flag_that_cannot_be_read_is_told_in_the_real_ones_words(words, message):
    with pytest.raises(FlagError) as raised:
        parse(FLAGS, words)
    assert str(raised.value) == message.replace("BIG", BIG)


@pytest.mark.parametrize(
    ("words", "interspersed", "rest"),
    [
        (["a", "--loud", "b"], True, ("a", "b")),
        (["--loud", "a", "--nope"], False, ("a", "--nope")),
        (["--loud", "--", "--name"], True, ("--name",)),
        (["-", "x"], True, ("-", "x")),
    ],
)
def test_the_words_that_are_left_are_told(words, interspersed, rest):
    assert parse(FLAGS, words, interspersed=interspersed).rest == rest


def test_flags_that_are_not_known_yet_can_be_passed_over_with_their_values():
    words = ["--other", "x", "--more=y", "-z", "w", "--loud", "fn"]
    parsed = parse(FLAGS, words, lenient=True)
    assert (parsed.values, parsed.rest) == ({"loud": True}, ("fn",))


def test_a_flag_hides_a_later_one_of_the_same_name():
    flags = Flags((Flag("output", INTEGER), Flag("output", short="o")))
    assert parse(flags, ["--output", "3"]).values == {"output": 3}
    with pytest.raises(FlagError, match="unknown shorthand flag: 'o'"):
        parse(flags, ["-o", "3"])
