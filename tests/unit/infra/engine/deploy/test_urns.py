"""Resource names."""

import pytest

from infra.engine.deploy import urns

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"


def test_the_stack_leaves_no_trace_in_its_childrens_names():
    assert urns.make("dev", "shop", STACK, "a:b:C", "c") == "urn:pulumi:dev::shop::a:b:C::c"


def test_a_component_s_type_is_part_of_its_childrens_names():
    parent = "urn:pulumi:dev::shop::a:b:C::c"
    child = urns.make("dev", "shop", parent, "d:e:F", "f::g")
    assert child == "urn:pulumi:dev::shop::a:b:C$d:e:F::f::g"
    assert (urns.type_of(child), urns.qualified_type(child), urns.name_of(child)) == (
        "d:e:F",
        "a:b:C$d:e:F",
        "f::g",
    )


def test_a_provider_is_known_by_its_type_and_a_default_one_by_its_name():
    urn = "urn:pulumi:dev::shop::pulumi:providers:aws::default_6_1_0"
    assert urns.package_of(urns.type_of(urn)) == "aws"
    assert urns.is_default_provider(urn)
    assert not urns.is_default_provider(urn.replace("default_6_1_0", "mine"))
    assert urns.parse_reference(urns.reference(urn, "some-id")) == (urn, "some-id")


@pytest.mark.parametrize("reference", ["", "urn", "no::id", "urn:pulumi:dev::shop::x"])
def test_what_is_no_reference_is_refused(reference):
    with pytest.raises(ValueError, match="provider reference"):
        urns.parse_reference(reference)
