"""A stack handed back and forth between the embedded engine and a Pulumi CLI, where one is on PATH."""

import os
import shutil
import subprocess

import pytest

from infra.engine.commands.line.handover import real_programs

REAL = next(real_programs(os.environ), None)

pytestmark = pytest.mark.skipif(
    REAL is None or shutil.which("pulumi-language-python") is None,
    reason="no Pulumi CLI with its Python language host on PATH to hand a stack to",
)

PROGRAM = """\
import pulumi

class Part(pulumi.ComponentResource):
    def __init__(self, name, size, opts=None):
        super().__init__("shop:index:Part", name, {"size": size}, opts)
        self.register_outputs({"size": size})

config = pulumi.Config()
first = Part("first", 1)
Part("second", config.get_int("size") or 2, pulumi.ResourceOptions(depends_on=[first]))
pulumi.export("size", config.get_int("size") or 2)
pulumi.export("secret", config.require_secret("secret"))
"""


def real(shell, *words):
    done = subprocess.run(
        [REAL, *words, "--non-interactive"], cwd=shell.project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_neither_sees_a_difference_in_what_the_other_left(dev):
    dev.program(PROGRAM)
    dev.run("config", "set", "secret", "hush", "--secret")
    dev.run("up", "-yf")
    real(dev, "preview", "--expect-no-changes")
    assert "hush" in real(dev, "stack", "output", "--show-secrets")
    real(dev, "config", "set", "size", "7")
    real(dev, "up", "--yes", "--skip-preview")
    dev.run("preview", "--expect-no-changes")
    assert dev.run("stack", "output", "size") == "7\n"
    dev.run("up", "-yf", "--expect-no-changes")
    real(dev, "destroy", "--yes", "--skip-preview")
    assert dev.run("stack", "rm", "--yes") == "Stack 'dev' has been removed!\n"
