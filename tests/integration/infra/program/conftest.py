"""The program under the embedded engine, in a folder of its own, against a local cloud in memory."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.engine.providers.gcp.configuration import PRODUCTS
from tests.integration.infra.engine.providers.gcp.conftest import PATHS
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

ROOT = Path(__file__).parents[4]
IMAGE = "europe-west1-docker.pkg.dev/shipway-{stack}/loan-decisions/app@sha256:" + "a" * 64


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("cloud") / "state", MemoryFleet(), MemoryFront()) as served:
        yield served


@pytest.fixture(scope="module")
def api(cloud):
    with httpx.Client(base_url=cloud.url, timeout=30) as client:
        yield client


def project(folder, variables, command=(sys.executable, "-m", "infra.engine.cli")):
    """A copy of the project's folder; what is returned runs a command of the embedded engine in it."""
    for file in (ROOT / "infra").glob("Pulumi.*.yaml"):
        shutil.copy(file, folder)
    (folder / "Pulumi.yaml").write_text(
        f"name: shipway\nmain: {ROOT / 'infra'}\n"
        f"runtime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n"
    )
    (folder / "backend").mkdir()
    others = ("PULUMI_", "GOOGLE_", "SHIPWAY_")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(others)},
        **variables,
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "made-up",
        "PYTHONPATH": str(ROOT),
    }

    def run(*words, fails=False):
        done = subprocess.run(
            [*command, *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def releases(pulumi):
    """Sets what an environment is to run."""

    def choose(stack, image=IMAGE):
        values = {"image": image.format(stack=stack), "commit": "c" * 40, "model": "d" * 64, "data": "e" * 64}
        for part, value in values.items():
            pulumi("config", "set", "--path", f"release.{part}", value, "--stack", stack)

    return choose


@pytest.fixture(scope="module")
def pulumi(cloud, tmp_path_factory):
    variables = {PRODUCTS[name].variable: f"{cloud.url}/{path}" for name, path in PATHS.items()}
    return project(tmp_path_factory.mktemp("project"), variables)


@pytest.fixture(scope="module")
def release(pulumi):
    return releases(pulumi)
