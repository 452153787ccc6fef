"""The schemas: their form, and that their names are those of the SDK that programs are written with."""

import importlib
import re
import sys
import warnings

import pytest

from infra.engine.providers.gcp import SERVED
from infra.engine.providers.gcp.catalog import KINDS
from infra.engine.providers.gcp.members import POLICIED
from infra.engine.providers.gcp.schema import load, parse
from tests.unit.infra.program.mocks import RELEASE, run

# What this provider does not serve of the types that it serves: betas, and Terraform's write-only twins.
LEFT_OUT = {
    "buildConfig",
    "buildInfos",
    "checkIfServiceHasUsageOnDestroy",
    "concurrencyUtilization",
    "cpuUtilization",
    "delayExecution",
    "functionalType",
    "multiRegionId",
    "runExecutionToken",
    "sandboxLauncher",
    "sandboxes",
    "secretType",
    "serviceMesh",
    "sourceCode",
    "sshEnabled",
    "startExecutionToken",
    "workloadIdentityConfig",
}


def schema_of(kind):
    if kind in KINDS:
        return KINDS[kind].schema
    return POLICIED[kind].schema if kind in POLICIED else load("projects.service")


def arguments_of(kind):
    """The SDK's class of a type's inputs."""
    _, module, name = kind.split(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        package = importlib.import_module(f"pulumi_gcp.{module.split('/')[0]}")
        resource = getattr(package, name)
    return getattr(sys.modules[resource.__module__], f"{name}Args")


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def names_in(arguments):
    """The SDK's input names, with the annotation of each."""
    return {
        camel(name): str(member.fget.__annotations__["return"])
        for name, member in vars(arguments).items()
        if isinstance(member, property)
    }


def differences(schema, arguments, path):
    sdk, ours = names_in(arguments), {name: field for name, field in schema.items() if not field.computed}
    yield from (f"{path}.{name} is not in the SDK" for name in set(ours) - set(sdk))
    computed = {name for name, field in schema.items() if field.computed}
    for name in set(sdk) - set(ours) - computed - LEFT_OUT:
        if not re.search(r"Wo(Version)?$", name):
            yield f"{path}.{name} is not in the schema"
    for name in set(sdk) & set(ours):
        if not ours[name].fields:
            continue
        inner = re.search(r"\w+Args", sdk[name])
        if ("Sequence" in sdk[name].partition("Args")[0]) is not ours[name].many:
            yield f"{path}.{name} is one here and many there"
        inputs = arguments.__module__
        inputs = inputs if inputs.endswith("._inputs") else f"{inputs.rpartition('.')[0]}._inputs"
        yield from differences(ours[name].fields, getattr(sys.modules[inputs], inner[0]), f"{path}.{name}")


@pytest.mark.parametrize("kind", sorted(SERVED))
def test_properties_are_named_and_nested_as_in_the_sdk(kind):
    assert list(differences(schema_of(kind), arguments_of(kind), kind)) == []


def test_every_type_that_the_program_uses_is_served():
    config = {
        "release": RELEASE,
        "github": "example/shipway",
        "budget": {"account": "012345-6789AB-CDEF01"},
        "secrets": {"KEY": "made-up"},
        "alerts": {"emails": ["on-call@example.com"]},
        "training": {"bucket": "shipway-data"},
        "protection": {"public": True},
    }
    recorder, _ = run("staging", config)
    assert {kind for _, kind in recorder.resources if kind.startswith("gcp:")} <= SERVED


def test_a_line_is_a_name_a_kind_and_what_a_change_takes():
    schema = parse(
        "place  string  required replaces\nparts  objects as part\n  size  int = 3\n  note  string secret\n"
    )
    assert (schema["place"].required, schema["place"].replaces) == (True, True)
    assert (schema["parts"].api, schema["parts"].fields["size"].default) == ("part", 3)
    assert schema["parts"].fields["note"].secret


@pytest.mark.parametrize("line", ["name  text", "name  string  perhaps"])
def test_a_line_that_is_none_is_shown(line):
    with pytest.raises(ValueError, match=f"not a property: {line}"):
        parse(line)
