"""Property values on the wire: nothing is lost on the way there and back, and marks are Pulumi's."""

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from infra.engine.values import UNKNOWN, Archive, Asset, Output, ResourceReference, Secret, Unknown
from infra.engine.values.compare import equal
from infra.engine.values.signatures import KEY, SECRET
from infra.engine.values.wire import ALL, SENTINELS, Accepts, decode, decode_value, encode, encode_value

PLAIN = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.floats(allow_nan=False) | st.text()
KEYS = st.text(min_size=1).filter(lambda key: key != KEY)
MARKED = st.builds(Secret, PLAIN) | st.just(UNKNOWN) | st.builds(Asset, text=st.text(min_size=1))
VALUES = st.recursive(
    (PLAIN | MARKED).filter(lambda value: value not in SENTINELS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.builds(Secret, inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_encoded_is_decoded_as_it_was(properties):
    back = decode(encode(properties))
    assert back.keys() == properties.keys()
    assert all(equal(back[key], properties[key]) for key in properties)


@pytest.mark.parametrize(
    "value",
    [
        Asset(hash="ab", path="f"),
        Asset(text=""),
        Archive(hash="cd", assets={"x": Asset(text="hi"), "d": Archive(path="dir")}),
        ResourceReference("urn:pulumi:a::b::c:d:E::f", "id", "1.2.3"),
        ResourceReference("urn:pulumi:a::b::c:d:E::f", UNKNOWN),
        *SENTINELS.values(),
    ],
)
def test_each_kind_survives(value):
    assert decode_value(encode_value(value)) == value


def test_a_secret_has_the_mark_that_the_sdk_looks_for():
    fields = encode({"s": Secret("x")}).fields["s"].struct_value.fields
    assert fields[KEY].string_value == SECRET == "1b47061264138c4ac30d75fd1eb44270"
    assert fields["value"].string_value == "x"


def test_a_side_that_takes_no_secrets_gets_the_value():
    assert decode(encode({"s": Secret([1])}, Accepts(secrets=False))) == {"s": [1]}


def test_an_unknown_is_left_out_for_a_side_that_takes_none():
    assert decode(encode({"u": UNKNOWN, "l": [1, Unknown("bool")]}, Accepts(unknowns=False))) == {"l": [1]}


def test_a_resource_is_its_id_to_a_side_that_takes_no_resources_and_a_component_its_urn():
    accepts = Accepts(resources=False)
    sent = encode({"r": ResourceReference("urn", "id"), "c": ResourceReference("urn")}, accepts)
    assert decode(sent) == {"r": "id", "c": "urn"}


def test_an_output_keeps_its_dependencies_where_asked_and_is_its_value_elsewhere():
    output = Output("x", known=True, secret=True, dependencies=("urn:a",))
    sent = encode({"o": output, "u": Output()}, ALL)
    assert decode(sent, outputs=True) == {"o": output, "u": Output()}
    assert decode(sent) == {"o": Secret("x"), "u": UNKNOWN}


def test_whole_numbers_are_integers_so_that_the_checkpoint_writes_no_fraction():
    struct = struct_pb2.Struct()
    struct["n"], struct["f"] = 3.0, 3.5
    assert [type(value) for value in decode(struct).values()] == [float, int]


def test_a_mark_that_nobody_knows_is_refused():
    struct = struct_pb2.Struct()
    struct[KEY] = "nonsense"
    with pytest.raises(ValueError, match="unrecognized signature 'nonsense'"):
        decode_value(struct_pb2.Value(struct_value=struct))
