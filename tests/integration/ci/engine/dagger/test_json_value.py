"""JSONValue, as Dagger's own integration tests (core/integration/jsonvalue_test.go) have it."""

import json

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]


@pytest.fixture
def document(dag):
    """A nested document."""
    text = '{"z": 1, "user": {"name": "John", "age": 30, "on": true, "tags": ["<a>", 2.50, 1e30, null]}}'
    return dag.json().with_contents(dagger.JSON(text))


async def test_values_come_out_as_they_went_in(dag):
    new = dag.json()
    assert await new.new_integer(-123).as_integer() == -123
    assert await new.new_integer(2**31 - 1).as_integer() == 2**31 - 1
    assert await new.new_string('hello\nworld\t"quotes"').as_string() == 'hello\nworld\t"quotes"'
    assert [await new.new_boolean(value).as_boolean() for value in (True, False)] == [True, False]
    assert await new.contents() == "null"


async def test_fields_are_found_by_their_path(document):
    assert await document.field(["user", "name"]).as_string() == "John"
    assert await document.field(["user", "age"]).as_integer() == 30
    assert await document.field(["user", "on"]).as_boolean() is True
    assert sorted(await document.fields()) == ["user", "z"]
    items = await document.field(["user", "tags"]).as_array()
    assert [await item.contents() for item in items] == ['"\\u003ca\\u003e"', "2.5", "1e+30", "null"]


async def test_contents_stay_as_they_are_written_until_something_is_changed(document):
    assert (await document.contents()).startswith('{"z": 1')
    changed = await document.with_field(["user"], document.field(["z"])).contents()
    assert changed == '{"user":1,"z":1}'
    assert await document.field(["user"]).contents(pretty=True, indent=" ") == (
        '{\n "age": 30,\n "name": "John",\n "on": true,\n "tags": [\n  "\\u003ca\\u003e",\n'
        "  2.5,\n  1e+30,\n  null\n ]\n}"
    )


async def test_fields_are_set_and_objects_on_the_way_are_made(dag):
    value = dag.json().new_string("x")
    made = dag.json().with_field(["a", "b"], value).with_field(["a", "c"], value).with_field(["d"], value)
    assert json.loads(await made.contents()) == {"a": {"b": "x", "c": "x"}, "d": "x"}
    assert await made.with_field(["d", "e"], value).field(["d", "e"]).as_string() == "x"


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("1", "as_string", "json: cannot unmarshal number into Go value of type string"),
        ("1.5", "as_integer", "json: cannot unmarshal number 1.5 into Go value of type int"),
        ("[]", "as_integer", "json: cannot unmarshal array into Go value of type int"),
        ("null", "as_boolean", "value is not a boolean"),
        ("{}", "as_array", "value is not an array"),
        ("true", "fields", "value is not an object"),
        ("{", "contents", "invalid JSON"),
        ("NaN", "contents", "invalid JSON"),
    ],
)
async def test_a_value_of_another_kind_is_refused(dag, text, field, reason):
    with pytest.raises(dagger.QueryError) as problem:
        await getattr(dag.json().with_contents(dagger.JSON(text)), field)()
    assert reason in str(problem.value)


async def test_a_field_that_is_not_there_is_named(document):
    with pytest.raises(dagger.QueryError, match="no such field: 'nope'"):
        await document.field(["user", "nope"]).contents()
    with pytest.raises(dagger.QueryError, match="can't lookup field 'x' in non-object value"):
        await document.field(["z", "x"]).contents()
    with pytest.raises(dagger.QueryError, match="cannot unmarshal object"):
        await document.field([]).as_string()
