"""What the protocol's messages ask for."""

import pytest

from infra.engine.deploy.errors import DeploymentError
from infra.engine.protocol.engine import satisfies
from infra.engine.protocol.messages import alias_pb2, resource_pb2
from infra.engine.protocol.monitor import requests
from infra.engine.protocol.monitor.positions import Positions
from infra.engine.protocol.monitor.requests import Inherited, seconds
from infra.engine.values import Output

PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::mine::id"


@pytest.mark.parametrize(
    ("text", "number"), [("", 0), ("5m", 300), ("1h30m", 5400), ("1.5s", 1.5), ("100ms", 0.1)]
)
def test_durations_are_go_s(text, number):
    assert seconds(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["5", "m", "5 m", "5x"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(DeploymentError, match=f"unable to parse customTimeout value {text}"):
        seconds(text)


def test_a_child_takes_over_its_parents_options_and_a_provider_of_its_own_package():
    parent = Inherited(protect=True, deleted_with="urn:w", provider=PROVIDER)
    child = resource_pb2.RegisterResourceRequest(type="aws:s3:Bucket", custom=True)
    requests.inherit(child, parent)
    assert (child.protect, child.deletedWith, child.provider) == (True, "urn:w", PROVIDER)
    other = resource_pb2.RegisterResourceRequest(type="gcp:x:Y", custom=True, protect=False)
    requests.inherit(other, parent)
    assert (other.protect, other.provider) == (False, "")


def test_dependencies_come_from_the_request_and_from_the_outputs_inside_values():
    request = resource_pb2.RegisterResourceRequest(dependencies=["urn:pulumi:d::p::t:t:T::b"])
    properties = {"a": Output(1, known=True, dependencies=("urn:pulumi:d::p::t:t:T::a",)), "c": 1}
    depends = {"a": set(), "c": {"urn:pulumi:d::p::t:t:T::b"}}
    given = requests.options(request, "")
    everything, by_property = requests.all_dependencies(request, given, properties, depends)
    assert everything == ("urn:pulumi:d::p::t:t:T::b",)
    assert by_property == {"a": ("urn:pulumi:d::p::t:t:T::a",), "c": ("urn:pulumi:d::p::t:t:T::b",)}


def test_aliases_are_urns_or_what_was_different():
    request = resource_pb2.RegisterResourceRequest(
        type="a:b:C", name="c", aliasURNs=["urn:pulumi:d::p::a:b:C::old"]
    )
    request.aliases.add(spec=alias_pb2.Alias.Spec(name="older", noParent=True))
    wanted = requests.registration(request, requests.options(request, ""))
    assert wanted.aliases[0].urn == "urn:pulumi:d::p::a:b:C::old"
    assert (wanted.aliases[1].name, wanted.aliases[1].no_parent) == ("older", True)


@pytest.mark.parametrize("type_", ["nocolon", "a:b", "a:b:c:d"])
def test_a_type_has_three_parts(type_):
    with pytest.raises(DeploymentError, match=f"Type '{type_}' is not a valid type token"):
        requests.check_type(type_)


def test_positions_are_told_from_the_projects_root(tmp_path):
    request = resource_pb2.RegisterResourceRequest()
    request.sourcePosition.uri = (tmp_path / "sub" / "a b.py").as_uri()
    request.sourcePosition.line, request.sourcePosition.column = 7, 3
    assert Positions(tmp_path).of(request) == ("project:///sub/a%20b.py#7,3", ())
    assert Positions(None).of(request) == ("", ())


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        (">=3.100.0", True),
        (">=3.100.0 <4.0.0", True),
        ("<3.0.0", False),
        ("<3.0.0 || >=3.2", True),
        ("=3.272.0", True),
    ],
)
def test_a_program_can_ask_for_a_version(wanted, met):
    assert satisfies("3.272.0", wanted) is met
