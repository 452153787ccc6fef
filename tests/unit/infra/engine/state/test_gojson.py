"""JSON is written as Go writes it (expectations: encoding/json's own rules)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.engine.state import gojson


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (2.5, "2.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.000012345, "0.000012345"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers(number, text):
    assert gojson.dumps(number) == text


def test_text_is_escaped_no_more_than_go_does():
    assert gojson.dumps("<é\u2028\t\x01>") == '"<é\\u2028\\t\\u0001>"'
    assert gojson.dumps("<&>", escape_html=True) == '"\\u003c\\u0026\\u003e"'


def test_lines_are_indented():
    assert gojson.dumps({"a": [1]}, indent=2) == '{\n  "a": [\n    1\n  ]\n}'


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_is_written_reads_the_same(value):
    assert json.loads(gojson.dumps(value)) == value
