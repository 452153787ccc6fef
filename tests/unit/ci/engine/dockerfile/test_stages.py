"""Stages of a Dockerfile, and the arguments before them."""

import pytest

from ci.engine.dockerfile import DockerfileError, read, staged


def build(text: str, **given: str):
    """The stages of a Dockerfile, with build arguments."""
    return staged(read(text), given, {"TARGETARCH": "amd64"})


def test_a_stage_has_a_name_a_base_and_what_follows_it():
    one, two = build("FROM a AS First\nRUN x\nRUN y\nFROM first").stages
    assert (one.name, one.base, [each.rest for each in one.instructions]) == ("first", "a", ["x", "y"])
    assert (two.name, two.base) == ("", "first")


def test_arguments_before_the_first_stage_are_for_from_lines():
    text = "ARG V=1\nARG W=$V-$TARGETARCH\nFROM --platform=linux/$TARGETARCH base:$W"
    made = build(text)
    assert (made.stages[0].base, made.stages[0].platform) == ("base:1-amd64", "linux/amd64")
    assert build(text, V="2").stages[0].base == "base:2-amd64"


def test_a_stage_is_found_by_its_latest_name_or_its_number():
    made = build("FROM a AS x\nFROM b AS x\nFROM c")
    assert made.index("x") == 1
    assert made.named("x", before=1) == 0
    assert made.index("0") == 0
    assert made.index("3") is None
    assert made.target("") == 2
    with pytest.raises(DockerfileError, match='target stage "nope" could not be found'):
        made.target("nope")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RUN x", "must come after a FROM"),
        ("ARG x=1", "there is no FROM"),
        ("FROM a b", "one or three arguments"),
        ("FROM a IS b", "one or three arguments"),
        ("FROM $NOPE", "should not be blank"),
    ],
)
def test_what_makes_no_stage_is_refused(text, reason):
    with pytest.raises(DockerfileError, match=reason):
        build(text)
