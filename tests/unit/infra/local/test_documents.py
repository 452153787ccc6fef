"""JSON resources: changed by mask, listed by page."""

import pytest

from infra.local.api.errors import ApiError
from infra.local.control.documents import Documents, camel, check_mask, merged, page_of
from infra.local.state import Store

CURRENT = {"name": "n", "title": "a", "limits": {"low": 1, "high": 2}}


@pytest.mark.parametrize(
    ("given", "mask", "wanted"),
    [
        ({"title": "b"}, "title", {"title": "b"}),
        ({"title": "b", "limits": {}}, "title", {"title": "b"}),
        ({}, "title", {"title": None}),
        ({"limits": {"low": 5, "high": 9}}, "limits.low", {"limits": {"low": 5, "high": 2}}),
        ({"limits": {"high": 9}}, "limits", {"limits": {"high": 9}}),
        ({}, "rule.topic", {}),
        ({"rule": {"topic": "t"}}, "rule.topic,rule.other", {"rule": {"topic": "t"}}),
        ({"displayTitle": "x"}, "display_title", {"displayTitle": "x"}),
        ({"title": "b"}, None, {"title": "b"}),
        ({"title": "b"}, "*", {"title": "b", "limits": None}),
        ({"name": "other"}, "name", {}),
    ],
)
def test_only_what_the_mask_names_is_changed(given, mask, wanted):
    expected = {key: value for key, value in {**CURRENT, **wanted}.items() if value is not None}
    assert merged(CURRENT, given, mask, ("name",)) == expected
    assert CURRENT["limits"] == {"low": 1, "high": 2}


def test_a_path_through_what_is_no_message_is_refused():
    with pytest.raises(ApiError, match=r"Invalid field path 'title\.x'"):
        merged(CURRENT, {"title": "b"}, "title.x")


def test_a_mask_names_known_fields():
    check_mask("displayName,display_name.first,*", ("displayName",))
    check_mask(None, ())
    with pytest.raises(ApiError, match="Invalid field path 'other'"):
        check_mask("displayName,other", ("displayName",))


@pytest.mark.parametrize(
    ("name", "expected"), [("display_name", "displayName"), ("displayName", "displayName")]
)
def test_names_are_understood_in_both_forms(name, expected):
    assert camel(name) == expected


def test_every_resource_is_on_one_page(tmp_path):
    store = Store(tmp_path / "cloud.db")
    documents = Documents(store, "thing")
    for number in range(5):
        documents.put(f"projects/p/things/{number}", {"n": number})
    documents.put("projects/other/things/0", {"n": 9})
    seen, token = [], ""
    while True:
        answer = documents.page("projects/p", {"pageSize": 2, "pageToken": token}, "things")
        seen += [each["n"] for each in answer["things"]]
        token = answer.get("nextPageToken", "")
        if not token:
            break
    assert seen == [0, 1, 2, 3, 4]
    documents.remove_under("projects/p")
    assert documents.page("projects/p", {}, "things") == {}
    with pytest.raises(ApiError, match="token"):
        documents.page("projects/p", {"pageToken": "?"}, "things")
    with pytest.raises(ApiError, match="negative"):
        documents.page("projects/p", {"pageSize": -1}, "things")
    store.close()


def test_what_was_found_is_given_by_page():
    found = [{"n": number} for number in range(5)]
    first = page_of(found, {"pageSize": 3}, "things")
    rest = page_of(found, {"pageToken": first["nextPageToken"]}, "things")
    assert first["things"] + rest["things"] == found
    assert "nextPageToken" not in rest
    with pytest.raises(ApiError, match="token"):
        page_of(found, {"pageToken": "²"}, "things")
