"""No secret gets through the scrubber, however the stream is cut."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ci.engine.graph.steps.scrub import Scrubber, scrub

secrets = st.binary(min_size=3, max_size=12).filter(
    lambda value: b"*" not in value and value == value.strip()
)


@given(secret=secrets, parts=st.lists(st.binary(max_size=6), max_size=4), cuts=st.lists(st.integers(0, 60)))
def test_a_secret_split_over_writes_never_shows(secret: bytes, parts: list[bytes], cuts: list[int]) -> None:
    stream = secret.join(parts) + secret
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    scrubber = Scrubber([secret])
    shown = b"".join(scrubber.feed(stream[a:b]) for a, b in itertools.pairwise(places))
    shown += scrubber.flush()
    assert secret not in shown


@given(parts=st.lists(st.binary(max_size=20), max_size=5))
def test_a_stream_without_secrets_is_passed_on_as_it_is(parts: list[bytes]) -> None:
    scrubber = Scrubber([b"\xff\xfe\xfd-not-there"])
    assert b"".join([*(scrubber.feed(part) for part in parts), scrubber.flush()]) == b"".join(parts)


def test_a_secret_with_a_newline_behind_is_hidden_without_it_too() -> None:
    assert scrub("the token is s3cret!", [b"s3cret\n"]) == "the token is ***!"


def test_an_empty_secret_hides_nothing() -> None:
    assert scrub("plain", [b"", b"\n"]) == "plain"
