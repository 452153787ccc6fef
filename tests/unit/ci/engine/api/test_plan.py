"""What a query may say, and what is said of one that is wrong."""

import pytest

from ci.engine.api.respond import Request


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ nope }", 'Cannot query field "nope" on type "Query".'),
        ("{ box { nope } }", 'Cannot query field "nope" on type "Box".'),
        ("{ box }", 'Field "box" of type "Box!" must have a selection of subfields'),
        ("{ box { name { x } } }", 'Field "name" must not have a selection'),
        ("{ box { put { name } } }", 'of type "String!" is required, but it was not provided'),
        ("{ box { put(name: 3) { name } } }", "String cannot represent a non string value: 3"),
        ('{ box { put(name: "x", times: "y") { name } } }', "Int cannot represent non-integer value"),
        ('{ box { put(name: "x", nope: 1) { name } } }', 'Unknown argument "nope"'),
        ("{ box { painted(colour: GREEN) { name } } }", 'Value "GREEN" does not exist in "Colour" enum'),
        ("{ box { painted(size: {}) { name } } }", 'to include required field "width"'),
        ("{ ...F }", 'Unknown fragment "F".'),
        ("{ box { ...F } } fragment F on Box { ...F }", 'Cannot spread fragment "F" within itself'),
        ("{ box { ... on Ball { name } } }", 'can never be of type "Ball"'),
        ("{ box { ... on Nothing { name } } }", 'Unknown type "Nothing"'),
        ("{ box @nope { name } }", 'Unknown directive "@nope"'),
        ("{ box { __schema { queryType { name } } } }", '"__schema"'),
        ("{ box { a: name a: id } }", 'Fields "a" conflict'),
        ("query A { box { name } } query B { box { name } }", "operation name is required"),
        ("mutation { box { name } }", "mutation operation is not supported"),
        ("fragment F on Box { name }", 'Fragment "F" is never used'),
        ("{", "Syntax Error: Expected Name, found <EOF>."),
        ("", "Syntax Error: Unexpected <EOF>."),
        ('{ box { put(name: "x", times: 99999999999999999999999) { name } } }', "99999999999999999999999"),
    ],
)
async def test_a_wrong_query_runs_nothing_and_says_what_is_wrong(ask, registry, query, message):
    registry.resolvers.clear()
    answer = await ask(query)
    assert answer["data"] is None
    assert message in " | ".join(e["message"] for e in answer["errors"])
    assert {e["extensions"]["code"] for e in answer["errors"]} <= {
        "GRAPHQL_VALIDATION_FAILED",
        "GRAPHQL_PARSE_FAILED",
    }


async def test_a_wrong_query_is_answered_with_422_and_the_place(api):
    response = await api.answer(Request("{\n  nope\n}"))
    assert response.status == 422
    assert b'"locations":[{"line":2,"column":3}]' in response.body


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, 'expected a value of type "String!", found null'),
        (3, 'expected a value of type "String!", found an integer'),
        (["x"], 'expected a value of type "String!", found a list'),
    ],
)
async def test_a_wrong_variable_is_told_with_its_argument(ask, value, message):
    [error] = (await ask("query($n: String!) { box { put(name: $n) { name } } }", n=value))["errors"]
    assert error["message"] == f'field "Box.put": argument "name": {message}'


async def test_a_variable_that_is_missing_is_told_by_name(ask):
    [error] = (await ask("query($n: String!) { box { put(name: $n) { name } } }"))["errors"]
    assert error["message"] == 'variable "n" must be defined'


async def test_variables_have_defaults_and_may_be_left_out_of_optional_arguments(ask):
    query = 'query($n: String = "d", $t: Int) { box { put(name: $n, times: $t) { name } } }'
    assert (await ask(query))["data"]["box"]["put"]["name"] == "d"
    assert (await ask(query, n="e", t=2))["data"]["box"]["put"]["name"] == "ee"


async def test_null_for_an_optional_argument_is_the_same_as_leaving_it_out(ask):
    answer = await ask('{ box { put(name: "x", times: null) { name } } }')
    assert answer["data"]["box"]["put"]["name"] == "x"


async def test_an_enum_may_be_quoted_and_a_single_value_stand_for_a_list(ask, registry):
    seen = {}

    def painted(_call, parent, **given):
        seen.update(given)
        return parent

    registry.add("Box", "painted", painted)
    box = (await ask("{ box { id } }"))["data"]["box"]["id"]
    await ask('query($b: ID!) { box { painted(colour: "RED", allBoxes: $b) { name } } }', b=box)
    assert seen["colour"] == "RED"
    assert len(seen["all_boxes"]) == 1


async def test_the_operation_is_chosen_by_name(ask):
    query = "query A { box { name } } query B { ball { name } }"
    assert await ask(query, "B") == {"data": {"ball": {"name": "ball"}}}
    assert (await ask(query, "C"))["errors"][0]["message"] == "operation C not found"


async def test_fields_can_be_skipped_and_included(ask):
    query = "query($yes: Boolean!) { box { a: name @skip(if: $yes) b: name @include(if: $yes) } }"
    assert (await ask(query, yes=True))["data"]["box"] == {"b": "box"}
    assert (await ask(query, yes=False))["data"]["box"] == {"a": "box"}


async def test_the_same_field_asked_twice_is_resolved_once_with_both_selections(ask, registry):
    calls: list[int] = []

    def counted(_call, parent):
        calls.append(1)
        return parent

    registry.add("Box", "maybe", counted)
    query = "{ box { maybe { name } maybe { inner { name } } ...F } } fragment F on Box { maybe { id } }"
    answer = await ask(query)
    assert set(answer["data"]["box"]["maybe"]) == {"name", "inner", "id"}
    assert len(calls) == 1
