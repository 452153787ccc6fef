"""A checkpoint that the Pulumi CLI wrote is read and written again, every byte the same.

``real_cli_checkpoint.json`` was written by `pulumi up` of the Pulumi CLI (main of November 2026) for two
dynamic resources in a component; its serialized providers and the paths of the machine are cut out.
Passphrase: secret1.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.engine.state import gojson, serialize
from infra.engine.state.errors import CorruptError, StateError
from infra.engine.state.model import Operation, Resource, Snapshot
from infra.engine.state.properties import decode, encode
from infra.engine.state.secrets import Vault
from infra.engine.values import UNKNOWN, Archive, Asset, Output, ResourceReference, Secret

RECORDED = Path(__file__).with_name("real_cli_checkpoint.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def checkpoint():
    return json.loads(RECORDED)


@pytest.fixture(scope="module")
def vault(checkpoint):
    state = checkpoint["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"]
    return Vault(state, lambda: "secret1")


def test_a_checkpoint_of_the_real_cli_comes_out_as_it_went_in(checkpoint, vault):
    snapshot = serialize.parse_deployment(checkpoint["checkpoint"]["latest"], vault)
    deployment, features = serialize.deployment_json(snapshot, vault)
    body = {"stack": checkpoint["checkpoint"]["stack"], "latest": deployment}
    assert gojson.dumps({"version": 3, "checkpoint": body}) == RECORDED
    assert features == set()


def test_its_secrets_are_decrypted(checkpoint, vault):
    snapshot = serialize.parse_deployment(checkpoint["checkpoint"]["latest"], vault)
    assert snapshot.root.outputs["secret"] == Secret({"a": [1, "x"]})


def test_a_secret_that_changed_is_encrypted_anew_and_the_others_are_left(checkpoint, vault):
    snapshot = serialize.parse_deployment(checkpoint["checkpoint"]["latest"], vault)
    root = snapshot.root
    changed = replace(root, outputs={**root.outputs, "secret": Secret("other")})
    stored = serialize.resource_json(changed, vault)["outputs"]["secret"]["ciphertext"]
    assert stored not in RECORDED
    assert vault.crypter.decrypt(stored) == '"other"'


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "text",
        3,
        2.5,
        [1, {"a": None}],
        UNKNOWN,
        Secret({"deep": ["<&>"]}),
        Asset(hash="abc", text="hi"),
        Archive(hash="abc", assets={"a": Asset(path="x"), "b": Archive(uri="http://y")}),
        ResourceReference("urn:pulumi:d::p::t::n", "id", "1.0.0"),
        ResourceReference("urn:pulumi:d::p::t::n"),
        float("inf"),
    ],
)
def test_each_kind_of_value_survives_being_stored(value, vault):
    assert decode(json.loads(gojson.dumps(encode(value, vault, "p"))), vault, "p") == value


def test_an_output_is_stored_as_what_is_known_of_it(vault):
    assert encode(Output("v", known=True), vault) == "v"
    assert decode(encode(Output("v", known=False, secret=True), vault, "p"), vault, "p") == Secret(UNKNOWN)


def test_without_a_cipher_a_secret_is_shown():
    assert encode(Secret([1]), None)["plaintext"] == "[1]"


def test_a_value_with_an_unknown_mark_is_refused():
    with pytest.raises(CorruptError, match="unrecognized signature"):
        decode({"4dabf18193072939515e22adb298388d": "0"}, None)


def test_what_is_empty_is_left_out_and_empty_dependencies_are_kept():
    resource = Resource("urn:pulumi:d::p::t::n", "t", custom=True, property_dependencies={"a": ()})
    assert list(serialize.resource_json(resource, None)) == ["urn", "custom", "type", "propertyDependencies"]


def test_a_feature_makes_version_4(vault):
    resource = Resource("urn:pulumi:d::p::t::n", "t", custom=True, taint=True)
    assert serialize.deployment_json(Snapshot(resources=(resource,)), vault)[1] == {"taint"}


def test_pending_operations_are_kept(vault):
    resource = Resource("urn:pulumi:d::p::t::n", "t", custom=True, inputs={"a": Secret(1)})
    snapshot = Snapshot(pending_operations=(Operation(resource, "creating"),))
    deployment, _ = serialize.deployment_json(snapshot, vault)
    assert serialize.parse_deployment(deployment, vault).pending_operations == snapshot.pending_operations


@pytest.mark.parametrize(
    ("version", "features", "message"),
    [
        (5, (), "newer than what this version"),
        (0, (), "too old"),
        (4, ("taint", "unheard-of"), "needs support for the following features: unheard-of"),
    ],
)
def test_a_state_of_another_age_is_refused(version, features, message):
    with pytest.raises(StateError, match=message):
        serialize.check_version(version, features)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"type": "t"}, "missing required 'urn'"),
        ({"urn": "u"}, "missing required 'type'"),
        ({"urn": "u", "type": "t", "id": "x"}, "'custom' false but non-empty ID"),
    ],
)
def test_a_resource_that_lacks_what_each_has_is_refused(value, message):
    with pytest.raises(CorruptError, match=message):
        serialize.parse_resource(value, None)
