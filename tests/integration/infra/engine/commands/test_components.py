"""Components that a provider in a folder makes: all that is in them is in the stack, and is undone."""

import json

import pytest

pytestmark = [pytest.mark.usefixtures("dev"), pytest.mark.slow]

PROVIDER = """
import pulumi
from pulumi import provider
from pulumi_random import RandomInteger


class Dice(pulumi.ComponentResource):
    def __init__(self, name, sides, opts=None):
        super().__init__("toys:index:Dice", name, {}, opts)
        roll = RandomInteger(f"{name}-roll", min=1, max=sides, opts=pulumi.ResourceOptions(parent=self))
        self.sides = pulumi.Output.from_input(sides)
        self.quiet = pulumi.Output.secret("hush")
        self.register_outputs({"sides": self.sides, "quiet": self.quiet, "roll": roll.result})


class Toys(provider.Provider):
    def __init__(self):
        super().__init__("1.0.0")

    def construct(self, name, resource_type, inputs, options=None):
        if "broken" in name:
            raise ValueError("one side only")
        dice = Dice(name, inputs["sides"], options)
        return provider.ConstructResult(dice.urn, {"sides": dice.sides, "quiet": dice.quiet})

    def call(self, token, args):
        return provider.CallResult({"answer": args["__self__"].sides.apply(lambda sides: f"d{sides}")})


if __name__ == "__main__":
    import sys

    provider.main(Toys(), sys.argv[1:])
"""

PROGRAM = """
import pulumi


class Dice(pulumi.ComponentResource):
    sides: pulumi.Output[int]
    quiet: pulumi.Output[str]

    def __init__(self, name, sides, opts=None):
        super().__init__("toys:index:Dice", name, {"sides": sides, "quiet": None}, opts, remote=True)


six = Dice("six", 6)
pulumi.export("sides", six.sides)
pulumi.export("quiet", six.quiet)
pulumi.export("again", Dice("more", six.sides.apply(lambda sides: sides + 2)).sides)
"""


@pytest.fixture
def toys(shell):
    folder = shell.project / "toys"
    folder.mkdir()
    (folder / "PulumiPlugin.yaml").write_text("runtime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PROVIDER, encoding="utf-8")
    plugins = "plugins:\n  providers:\n  - name: toys\n    path: ./toys\n"
    (shell.project / "Pulumi.yaml").write_text(f"name: shop\nruntime: python\n{plugins}", encoding="utf-8")
    shell.program(PROGRAM)
    return shell


def test_a_component_of_a_provider_s_is_made_and_unmade_with_what_is_in_it(toys):
    assert "+ 5 to create" in toys.run("preview")
    toys.run("up", "--yes", "--skip-preview")
    outputs = json.loads(toys.run("stack", "output", "--json"))
    assert outputs == {"again": 8, "quiet": "[secret]", "sides": 6}
    deployment = json.loads(toys.run("stack", "export"))["deployment"]
    urns = {each["urn"].split("shop::", 1)[1]: each for each in deployment["resources"]}
    roll = urns["toys:index:Dice$random:index/randomInteger:RandomInteger::six-roll"]
    assert roll["parent"].endswith("toys:index:Dice::six")
    assert urns["toys:index:Dice::six"]["outputs"]["roll"] == roll["outputs"]["result"]
    assert "unchanged" in toys.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert "- 5 deleted" in toys.run("destroy", "--yes", "--skip-preview")


def test_a_component_that_fails_is_told_by_its_name(toys):
    toys.program(PROGRAM.replace('"six"', '"broken"'))
    result = toys.result("up", "--yes", "--skip-preview")
    assert result.code == 1
    assert "toys:index:Dice resource 'broken' has a problem: " in result.out
    assert "one side only" in result.out


def test_a_folder_without_a_provider_is_told(toys):
    (toys.project / "toys/PulumiPlugin.yaml").unlink()
    result = toys.result("up", "--yes", "--skip-preview")
    assert result.code == 1
    assert "there is neither pulumi-resource-toys nor PulumiPlugin.yaml in it" in result.out
