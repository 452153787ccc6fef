"""Help for flags, in the form that the real command line has: aligned, wrapped, with what they default to."""

import pytest

from ci.engine.commands.arguments.flags import Flag
from ci.engine.commands.arguments.kinds import INTEGER, NUMBERS, SWITCH, TEXT, TEXTS, made, several
from ci.engine.commands.arguments.usage import columns, flag_usages


def test_entries_are_aligned_and_wrapped_and_defaults_told():
    flags = (
        Flag("include", TEXTS, "More paths to load with the module, if its code needs them"),
        Flag("license", TEXT, "The license to add, by its SPDX identifier", default="Apache-2.0"),
        Flag("with-self-calls", SWITCH, "Let the module call itself (experimental)"),
        Flag("mod", TEXT, "The module", short="m"),
        Flag("compat", TEXT, "Version of the engine to be made for", default="latest", absent="skip"),
        Flag("hidden", TEXT, hidden=True),
    )
    assert flag_usages(flags, 72) == (
        '      --compat string[="skip"]   Version of the engine to be made\n'
        '                                 for (default "latest")\n'
        "      --include strings          More paths to load with the\n"
        "                                 module, if its code needs them\n"
        "      --license string           The license to add, by its SPDX\n"
        '                                 identifier (default "Apache-2.0")\n'
        "  -m, --mod string               The module\n"
        "      --with-self-calls          Let the module call itself\n"
        "                                 (experimental)\n"
    )


def test_flags_that_are_needed_come_first_and_are_marked():
    flags = (Flag("a", TEXT, "Not needed"), Flag("z", made("Directory", str), "Needed", required=True))
    assert flag_usages(flags, 79) == (
        "      --z Directory   Needed [required]\n      --a string      Not needed\n"
    )


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        (Flag("n", INTEGER, default=0), "      --n int   \n"),
        (Flag("n", INTEGER, default=3), "      --n int    (default 3)\n"),
        (Flag("n", SWITCH, default=True), "      --n    (default true)\n"),
        (Flag("n", SWITCH, default=False), "      --n   \n"),
        (Flag("n", TEXT, default=""), "      --n string   \n"),
        (Flag("n", TEXTS, default=["a", "b,c"]), '      --n strings    (default [a,"b,c"])\n'),
        (Flag("n", TEXTS, default=[]), "      --n strings   \n"),
        (Flag("n", NUMBERS, default=[1.5]), "      --n float64Slice    (default [1.500000])\n"),
        (Flag("n", several(made("File", str)), default=[]), "      --n []File    (default [])\n"),
    ],
)
def test_defaults_are_told_where_they_say_something(flag, told):
    assert flag_usages([flag], 79) == told


def test_a_word_in_back_quotes_is_what_the_value_is_called():
    assert flag_usages([Flag("to", TEXT, "Write to `PATH` at once")], 79) == (
        "      --to PATH   Write to PATH at once\n"
    )


def test_a_long_description_of_a_command_goes_on_below_itself():
    rows = [("grep-dir", "Returns lines that match a pattern in the files of the provided directory")]
    assert columns(rows, 60, 11) == (
        "  grep-dir      Returns lines that match a pattern in the\n"
        "                files of the provided directory\n"
    )
