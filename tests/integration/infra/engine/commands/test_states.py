"""``pulumi state``: what it says and what it leaves, as the Pulumi CLI does (recorded from it)."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("dev")

PROGRAM = """
import pulumi
from pulumi_random import RandomPet

class Box(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("shop:index:Box", name)
        RandomPet("inner", opts=pulumi.ResourceOptions(parent=self))

pet = RandomPet("pet", prefix=pulumi.Output.secret("quiet"))
RandomPet("heir", prefix=pet.id, opts=pulumi.ResourceOptions(protect=True))
RandomPet("stray")
Box("box")
"""
PET = "urn:pulumi:dev::shop::random:index/randomPet:RandomPet::pet"


@pytest.fixture
def stack(shell):
    shell.program(PROGRAM)
    shell.run("up", "--yes", "--skip-preview")
    return shell


def resources(shell, name="dev"):
    deployment = json.loads(shell.run("stack", "export", "-s", name, "--show-secrets"))["deployment"]
    return {each["urn"].split("::")[-1]: each for each in deployment["resources"]}


@pytest.mark.slow
def test_the_state_is_edited_resource_by_resource(stack):
    assert stack.run("state", "get", "pet").startswith(f"Type: random:index/randomPet:RandomPet\nURN:  {PET}")
    assert "    prefix   : [secret]\n" in stack.run("state", "get", "pet")
    shown = json.loads(stack.run("state", "get", "pet", "--output", "json", "--show-secrets"))
    assert shown["inputs"]["prefix"] == "quiet"
    assert 'no resource identified by "none"' in stack.run("state", "get", "none", code=1)

    assert stack.run("state", "taint", PET.replace("::pet", "::stray"), "--yes") == "1 resources tainted\n"
    assert "+- random:index/randomPet:RandomPet stray replace [diff: ~taint]" in stack.run("preview")
    assert stack.run("state", "untaint", "--all", "--yes") == "All resources untainted\n"
    assert "unchanged" in stack.run("preview", "--expect-no-changes")
    assert stack.run("state", "repair") == "The snapshot is already valid; skipping repair\n"
    assert "must be run in interactive mode" in stack.run("state", "edit", code=1)

    told = stack.run("destroy", "--exclude-protected", "--yes", "--skip-preview")
    assert "All unprotected resources were destroyed. There are still 4 protected resources" in told
    assert resources(stack).keys() >= {"pet", "heir"}
    assert "stray" not in resources(stack)
    told = stack.run("destroy", "--exclude-protected", "--yes")
    assert "There were no unprotected resources to destroy. There are still 4" in told


@pytest.mark.slow
def test_resources_move_to_another_stack_with_their_secrets(stack):
    stack.run("stack", "init", "prod", "--no-select")
    assert "at least one of --source or --dest" in stack.run("state", "move", PET, code=1)
    assert "no resources found to move" in stack.run("state", "move", "--dest", "prod", "urn:x", code=1)
    told = stack.run("state", "move", "--dest", "prod", PET, "--yes")
    assert f"  - {PET}\n" in told
    assert f"heir (prefix) has a property dependency on {PET}" in told
    assert "Successfully moved resources from organization/shop/dev to organization/shop/prod" in told
    pet = resources(stack, "prod")["pet"]
    assert pet["urn"] == PET.replace(":dev:", ":prod:")
    assert pet["inputs"]["prefix"]["plaintext"] == '"quiet"'
    assert "pet" not in resources(stack)
    assert "unchanged" in stack.run("refresh", "-s", "prod", "--yes", "--skip-preview")
