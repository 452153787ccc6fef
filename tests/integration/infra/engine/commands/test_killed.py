"""`pulumi up` killed at any instant: the next one converges; nothing is left over, nothing made twice."""

import json
import random
import signal
import subprocess
import time

import httpx
import pytest

from infra.engine.providers.gcp.configuration import PRODUCTS
from tests.integration.infra.engine.providers.gcp.conftest import PATHS
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

pytestmark = pytest.mark.usefixtures("dev")
PROJECT = "shipway-killed"
KILLS = 10  # of each of the ten seeds
PROGRAM = """\
import pulumi
from pulumi_gcp import secretmanager

replication = secretmanager.SecretReplicationArgs(auto=secretmanager.SecretReplicationAutoArgs())
before = []
for name, value in VALUES.items():
    secret = secretmanager.Secret(
        name, secret_id=name, labels={"value": value}, replication=replication,
        opts=pulumi.ResourceOptions(depends_on=before[-1:]),
    )
    before.append(secretmanager.SecretVersion(name, secret=secret.id, secret_data=value))
"""


@pytest.fixture
def api(shell, tmp_path, monkeypatch):
    """A local cloud that the engine finds, as somebody else sees it."""
    with serving(tmp_path / "cloud", MemoryFleet(), MemoryFront()) as cloud:
        for name, path in PATHS.items():
            monkeypatch.setenv(PRODUCTS[name].variable, f"{cloud.url}/{path}")
        shell.run("config", "set", "gcp:project", PROJECT)
        with httpx.Client(base_url=cloud.url, timeout=30) as client:
            yield client


def there(api):
    """Each secret's values: of all its versions that aren't destroyed."""
    parent = f"/v1/projects/{PROJECT}/secrets"
    secrets = api.get(parent).json().get("secrets", [])
    found = {}
    for secret in secrets:
        name = secret["name"].rpartition("/")[2]
        versions = api.get(f"{parent}/{name}/versions").json().get("versions", [])
        found[name] = (secret["labels"]["value"], sum(each["state"] != "DESTROYED" for each in versions))
    return found


def recorded(shell):
    """Names in the state, twice those that are there twice; nothing may be pending."""
    deployment = json.loads(shell.checkpoint().read_text())["checkpoint"]["latest"]
    assert not deployment.get("pending_operations")
    kinds = [each["urn"].split("::")[-2:] for each in deployment["resources"]]
    return sorted(name for kind, name in kinds if kind.endswith(":Secret"))


def choose(shell, chance):
    """Some secrets of ten, with other values than before; so that an update makes, changes and deletes."""
    values = {f"secret-{number}": str(chance.randrange(3)) for number in range(10) if chance.random() < 0.6}
    shell.program(PROGRAM.replace("VALUES", repr(values)))
    return values


def converged(shell, api, values):
    begun = time.monotonic()
    shell.run("up", "--yes", "--skip-preview")
    seconds = time.monotonic() - begun
    assert there(api) == {name: (value, 1) for name, value in values.items()}
    assert recorded(shell) == sorted(values)
    shell.run("preview", "--expect-no-changes")
    return seconds


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.slow, id=str(seed)) for seed in range(10)]
)
def test_the_next_up_converges_with_no_orphan_and_no_duplicate(shell, api, seed):
    chance = random.Random(seed)  # noqa: S311  # chance is no secret here
    longest = converged(shell, api, choose(shell, chance))
    for _ in range(KILLS):
        values = choose(shell, chance)
        process = shell.start("up", "--yes", "--skip-preview")
        try:
            process.wait(chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        shell.run("cancel", "--yes")
        converged(shell, api, values)
