"""JSON messages against the schemas of discovery documents."""

import pytest

from infra.local.api.discovery import methods
from infra.local.api.schema import Schemas, snake

UNKNOWN = "Invalid JSON payload received. Unknown name"
SCHEMAS = Schemas(
    {
        "Thing": {
            "id": "Thing",
            "type": "object",
            "properties": {
                "displayName": {"type": "string"},
                "count": {"type": "integer", "format": "int32"},
                "units": {"type": "string", "format": "int64"},
                "share": {"type": "number", "format": "double"},
                "on": {"type": "boolean"},
                "made": {"type": "string", "format": "google-datetime", "readOnly": True},
                "until": {"type": "string", "format": "google-datetime"},
                "wait": {"type": "string", "format": "google-duration"},
                "etag": {"type": "string", "format": "byte"},
                "state": {"type": "string", "enum": ["UNKNOWN", "ACTIVE"]},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "parts": {"type": "array", "items": {"$ref": "Thing"}},
                "anything": {"type": "any"},
            },
        }
    }
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"displayName": "a"}, {"displayName": "a"}),
        ({"display_name": "a"}, {"displayName": "a"}),
        ({"displayName": None}, {}),
        ({"count": "7"}, {"count": 7}),
        ({"units": 7}, {"units": "7"}),
        ({"units": str(2**63 - 1)}, {"units": str(2**63 - 1)}),
        ({"share": "1.5"}, {"share": 1.5}),
        ({"made": "2026-01-01T00:00:00Z"}, {}),
        ({"etag": "-_8"}, {"etag": "+/8="}),
        ({"state": 1}, {"state": "ACTIVE"}),
        ({"labels": {"a": "b"}}, {"labels": {"a": "b"}}),
        ({"parts": [{"count": 1}]}, {"parts": [{"count": 1}]}),
        ({"anything": [1, {"a": None}]}, {"anything": [1, {"a": None}]}),
    ],
)
def test_a_message_is_kept_as_its_schema_has_it(given, kept):
    assert SCHEMAS.check("Thing", given) == (kept, [])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"x": 1}, "Invalid JSON payload received. Unknown name \"x\" at 'thing': Cannot find field."),
        ({"displayName": 5}, "Invalid value at 'thing.display_name' (TYPE_STRING), 5"),
        ({"count": 2**31}, f"Invalid value at 'thing.count' (TYPE_INT32), {2**31}"),
        ({"count": True}, "Invalid value at 'thing.count' (TYPE_INT32), true"),
        ({"units": "1.5"}, "Invalid value at 'thing.units' (TYPE_INT64), \"1.5\""),
        ({"share": "much"}, "Invalid value at 'thing.share' (TYPE_DOUBLE), \"much\""),
        ({"on": "yes"}, "Invalid value at 'thing.on' (TYPE_BOOL), \"yes\""),
        (
            {"until": "today"},
            "Invalid value at 'thing.until' (type.googleapis.com/google.protobuf.Timestamp), \"today\"",
        ),
        (
            {"wait": "5m"},
            "Invalid value at 'thing.wait' (type.googleapis.com/google.protobuf.Duration), \"5m\"",
        ),
        ({"etag": "?"}, "Invalid value at 'thing.etag' (TYPE_BYTES), \"?\""),
        ({"state": "GONE"}, "Invalid value at 'thing.state' (type.googleapis.com/state), \"GONE\""),
        ({"labels": "a"}, "Invalid value at 'thing.labels' (Map), \"a\""),
        ({"labels": {"a": 1}}, "Invalid value at 'thing.labels[a]' (TYPE_STRING), 1"),
        (
            {"parts": [{"x": 1}]},
            "Invalid JSON payload received. Unknown name \"x\" at 'thing.parts[0]': Cannot find field.",
        ),
        (
            {"count": [1]},
            f"{UNKNOWN} \"count\" at 'thing': Proto field is not repeating, cannot start list.",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(given, text):
    _, [(_, found)] = SCHEMAS.check("Thing", given, "thing")
    assert found == text


def test_a_message_may_not_be_deeper_than_google_reads():
    deep = {}
    for _ in range(200):
        deep = {"parts": [deep]}
    _, found = SCHEMAS.check("Thing", deep)
    assert "Max recursion depth reached" in found[0][1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("getIamPolicy", "get_iam_policy"), ("x", "x"), ("generateIdToken", "generate_id_token")],
)
def test_names_in_python_are_in_snake_case(name, expected):
    assert snake(name) == expected


def test_a_document_that_is_not_shipped_is_named():
    with pytest.raises(LookupError, match="nonesuch v9"):
        methods("nonesuch", "v9")


def test_templates_have_the_patterns_of_their_variables():
    found = {method.full_name: method for method in methods("iam", "v1")}
    create = found["iam.v1.projects.serviceAccounts.create"]
    assert create.template.text == "/v1/{name=projects/*}/serviceAccounts"
    assert create.template.match("/v1/projects/p/serviceAccounts") == {"name": "projects/p"}
    assert (create.verb, create.attribute, create.api) == ("POST", "create", "iam.googleapis.com")
