"""Splits, cookies and traces as values."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from infra.local.runtime.contract import Target
from infra.local.traffic import affinity
from infra.local.traffic.split import Split
from infra.local.traffic.trace import trace_of
from infra.local.traffic.wire.heads import unsigned


@st.composite
def percents(draw):
    """Percents that add to 100."""
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]


@given(percents(), st.floats(0, 1, exclude_max=True), st.integers(100, 2000))
def test_any_requests_in_a_row_are_split_right_but_for_a_few(shares, point, requests):
    split = Split([Target(str(number), share) for number, share in enumerate(shares)], point)
    counts = Counter(split.choose() for _ in range(requests))
    for number, share in enumerate(shares):
        assert abs(counts[str(number)] - requests * share / 100) <= 8


def test_a_split_of_nothing_chooses_nothing():
    assert Split([]).choose() is None
    assert Split([Target("a", 0, "tag")]).choose() is None


@given(
    st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=60),
    st.text("0123abcdef", max_size=64),
)
def test_a_cookie_says_what_it_was_made_of(revision_key, instance):
    made = affinity.cookie(revision_key, instance).partition(b";")[0]
    key, found = affinity.read(b"a=b; " + made + b"; c=d")
    assert f"{key}/instances/{found}" == f"{revision_key}/instances/{instance}"


@given(st.binary(max_size=200))
def test_any_cookie_is_read(cookie):
    affinity.read(cookie)
    affinity.read(b"GAESA=" + cookie)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_trace_can_be_handed_on(traceparent, cloud):
    trace = trace_of(traceparent, cloud)
    assert trace_of(trace.traceparent, b"").id == trace.id
    assert trace_of(b"", trace.cloud).id == trace.id


def test_a_signature_is_taken_off_and_nothing_else():
    assert unsigned(b"Bearer a-b.c_d.sig-na_ture") == b"Bearer a-b.c_d.SIGNATURE_REMOVED_BY_GOOGLE"
    assert unsigned(b"Basic dXNlcjpwYXNz") == b"Basic dXNlcjpwYXNz"
