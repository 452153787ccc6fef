"""Words and variables of an instruction (Dockerfile reference, "Environment replacement")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.engine.dockerfile import DockerfileError, expanded, split

VARIABLES = {"A": "1", "EMPTY": "", "LONG": "two words"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("a='x y' b=\"z w\"", ["a='x y'", 'b="z w"']),
        ("a\\ b c", ["a\\ b", "c"]),
        ('a="\'" b', ['a="\'"', "b"]),
        ("", []),
    ],
)
def test_blanks_outside_of_quotes_separate_words(text, words):
    assert split(text) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A-${A}", "1-1"),
        ("$NOPE|${NOPE}", "|"),
        ("'$A'", "$A"),
        ('"$LONG"', "two words"),
        ("\\$A", "$A"),
        ('"\\n"', "\\n"),
        ("\\n", "n"),
        ("${EMPTY:-else}", "else"),
        ("${EMPTY-else}", ""),
        ("${NOPE-else}", "else"),
        ("${A:+set}${NOPE:+not}", "set"),
        ("${EMPTY+there}${EMPTY:+not}", "there"),
        ("${NOPE:-$A${LONG}}", "1two words"),
        ("${NOPE:-a b}", "a b"),
        ("100$", "100$"),
    ],
)
def test_variables_are_put_in_and_quotes_removed(text, value):
    assert expanded(text, VARIABLES) == value


@pytest.mark.parametrize("text", ["${", "${A", "${A%x}", "${NOPE:?}", "${NOPE?gone}", "${-}"])
def test_what_cannot_be_put_in_is_refused(text):
    with pytest.raises(DockerfileError):
        expanded(text, VARIABLES)


@given(st.text(alphabet="aA $\\{}:-+?'\"", max_size=30))
def test_splitting_loses_nothing_but_blanks(text):
    assert "".join(split(text)).replace(" ", "") == text.replace(" ", "")


@given(st.text(alphabet="aA ${}:-+?'\"", max_size=30))
def test_text_between_quotes_is_left_alone(text):
    assert expanded("'" + text.replace("'", "") + "'", VARIABLES) == text.replace("'", "")
