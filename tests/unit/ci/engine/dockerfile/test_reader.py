"""A Dockerfile's text becomes instructions (Dockerfile reference, "Format" and "Here-documents")."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.engine.dockerfile import DockerfileError, Heredoc, read
from ci.engine.dockerfile.reader import KNOWN


def only(text: str):
    """The one instruction of a text."""
    (instruction,) = read(text)
    return instruction


def test_lines_are_joined_and_comments_left_out():
    made = only("# syntax=docker/dockerfile:1\n\nRUN one \\\n# no\n\n  two \\\n  three\n")
    assert (made.keyword, made.rest, made.line) == ("RUN", "one   two   three", 3)


def test_keywords_may_be_written_in_any_case():
    assert only("from scratch").keyword == "FROM"


def test_flags_come_before_the_rest_and_may_repeat():
    made = only('RUN --mount=type=cache,target=/a --mount=type=tmpfs,target=/b sh -c "--no-flag=1"')
    assert made.flags == (("mount", "type=cache,target=/a"), ("mount", "type=tmpfs,target=/b"))
    assert made.rest == 'sh -c "--no-flag=1"'


def test_another_escape_may_be_chosen():
    assert only("# escape=`\nRUN dir C:\\ `\n  more").rest == "dir C:\\   more"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('CMD ["a", "b c"]', ("a", "b c")),
        ("CMD []", ()),
        ("CMD ['a']", None),
        ("CMD [1]", None),
        ("CMD a b", None),
    ],
)
def test_a_json_form_is_a_list_of_strings(text, words):
    assert only(text).words_in_json == words


def test_here_documents_follow_the_line_that_names_them():
    first, second = read("RUN <<A cat <<-'B'\none\n# kept\nA\n\ttwo $x\n\tB\nCMD x\n")
    assert first.heredocs == (
        Heredoc("A", "one\n# kept\n", literal=False),
        Heredoc("B", "two $x\n", literal=True),
    )
    assert second.keyword == "CMD"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "file with no instructions"),
        ("# nothing\n", "file with no instructions"),
        ("FROM x\nNOPE y", "line 2: unknown instruction: NOPE"),
        ("FROM x\nRUN", "line 2: RUN requires at least one argument"),
        ("RUN <<EOF\nnever", "line 1: unterminated heredoc EOF"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text, reason):
    with pytest.raises(DockerfileError, match=reason):
        read(text)


@given(st.lists(st.text(alphabet="ab \\\"'#$\n\t<-=[]{}", max_size=30), max_size=6))
def test_any_text_is_read_or_refused(lines):
    text = "FROM scratch\n" + "\n".join(f"RUN {line}" for line in lines)
    with suppress(DockerfileError):
        assert all(each.keyword in KNOWN for each in read(text))
