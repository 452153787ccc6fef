"""Introspection, answered from the prepared document as graphql-core itself would answer it."""

import pytest
from graphql import get_introspection_query, graphql_sync

QUERIES = [
    get_introspection_query(),
    get_introspection_query(descriptions=False),
    get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    ),
    "{ __schema { queryType { name kind } directives { name isRepeatable args { name } } } }",
    '{ __type(name: "Box") { name fields { name type { name kind ofType { name fields { name } } } } } }',
    '{ __type(name: "Colour") { enumValues(includeDeprecated: true) { name isDeprecated } } }',
    '{ __type(name: "Nothing") { name } }',
    '{ a: __type(name: "Node") { possibleTypes { n: name __typename } } __typename }',
    "query Q($n: String!) { __type(name: $n) { ...T } } fragment T on __Type { name ... on __Type { kind } }",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_introspection_answers_like_graphql_core(ask, source, query):
    variables = {"n": "Ball"} if "$n" in query else {}
    expected = graphql_sync(source.graphql, query, variable_values=variables).formatted
    assert await ask(query, **variables) == expected


async def test_introspection_can_stand_beside_other_fields(ask):
    answer = await ask('{ box { name } __type(name: "Box") { name } }')
    assert answer == {"data": {"box": {"name": "box"}, "__type": {"name": "Box"}}}
