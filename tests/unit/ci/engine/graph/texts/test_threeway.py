"""Two changes of one text, merged line by line."""

from hypothesis import given
from hypothesis import strategies as st

from ci.engine.graph.texts.threeway import Chunk, merged

TEXTS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"]), max_size=8).map(b"".join)


def settled(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """The merged text; None when there is a conflict."""
    chunks = merged(base, ours, theirs)
    if any(chunk.theirs is not None for chunk in chunks):
        return None
    return b"".join(line for chunk in chunks for line in chunk.ours)


def test_changes_of_other_lines_are_both_made():
    assert settled(b"1\n2\n3\n", b"one\n2\n3\n", b"1\n2\nthree\n") == b"one\n2\nthree\n"
    assert settled(b"1\n2\n", b"0\n1\n2\n", b"1\n2\n3") == b"0\n1\n2\n3"
    assert settled(b"1\n2\n3\n", b"3\n", b"1\n2\n3\n4\n") == b"3\n4\n"


def test_changes_of_one_line_conflict():
    assert merged(b"x\n1\ny\n", b"x\n2\ny\n", b"x\n3\ny\n") == [
        Chunk((b"x\n",)),
        Chunk((b"2\n",), (b"3\n",)),
        Chunk((b"y\n",)),
    ]


@given(TEXTS, TEXTS)
def test_a_side_that_did_not_change_gives_way(base, changed):
    assert settled(base, changed, base) == changed
    assert settled(base, base, changed) == changed


@given(TEXTS, TEXTS)
def test_the_same_change_on_both_sides_is_made_once(base, changed):
    assert settled(base, changed, changed) == changed


@given(TEXTS, TEXTS, TEXTS)
def test_which_side_is_whose_does_not_matter_to_what_is_settled(base, ours, theirs):
    assert settled(base, ours, theirs) == settled(base, theirs, ours)
