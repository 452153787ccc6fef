"""Where in a trace something happens."""

import pytest

from ci.engine.trace import Place, new_span

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_place_is_what_its_header_says_and_the_other_way_round():
    place = Place.parse(f"00-{TRACE}-{SPAN}-01")
    assert place == Place(TRACE, SPAN, SPAN)
    assert place.traceparent == f"00-{TRACE}-{SPAN}-01"


def test_what_is_not_sampled_above_is_not_below():
    place = Place.parse(f"00-{TRACE}-{SPAN}-00")
    assert place is not None
    assert place.below(new_span()).traceparent.endswith("-00")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
    ],
)
def test_a_header_that_is_none_is_ignored(text):
    assert Place.parse(text) is None


def test_a_later_version_may_have_more_to_say():
    assert Place.parse(f"01-{TRACE}-{SPAN}-01-more") == Place(TRACE, SPAN, SPAN)
