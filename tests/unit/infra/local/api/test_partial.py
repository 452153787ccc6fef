"""The query parameter `fields`."""

import pytest

from infra.local.api.errors import ApiError
from infra.local.api.partial import paths, select, selection

ANSWER = {"items": [{"id": 1, "owner": {"name": "a", "mail": "b"}}, {"id": 2}], "next": "t"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("next", {"next": "t"}),
        ("items(id)", {"items": [{"id": 1}, {"id": 2}]}),
        ("items/owner/name,next", {"items": [{"owner": {"name": "a"}}, {}], "next": "t"}),
        ("items(id,owner(mail))", {"items": [{"id": 1, "owner": {"mail": "b"}}, {"id": 2}]}),
        ("*", ANSWER),
        ("items/*", {"items": ANSWER["items"]}),
        ("absent", {}),
    ],
)
def test_only_what_was_selected_is_answered(text, kept):
    assert select(ANSWER, selection(text)) == kept


@pytest.mark.parametrize("text", ["items(", "items)", "(", ",", "a//b", "a(b", "a(b)c", "a;b", "a" * 3000])
def test_a_selection_that_cannot_be_read_is_refused(text):
    with pytest.raises(ApiError, match="invalid argument"):
        selection(text)


def test_paths_lead_to_the_selected_fields():
    assert list(paths(selection("a,b(c,d/e)"))) == ["a", "b.c", "b.d.e"]
