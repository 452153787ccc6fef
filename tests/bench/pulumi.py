"""What the embedded Pulumi engine takes, beside the program alone."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from infra.settings import ENVIRONMENTS
from tests.bench.clone import ROOT
from tests.bench.page import Part, Row
from tests.integration.infra.local.runtime.image import write_image
from tests.integration.infra.local.whole.conftest import Whole, pusher
from tests.integration.infra.program.conftest import project, releases
from tests.integration.infra.program.whole.conftest import PULUMI, deliver

PART = Part(
    "Pulumi",
    "Seconds of wall time. Embedded is `pulumi` against the cloud on this machine, without a preview unless\n"
    "one is mentioned; program is the Python program alone, once, in a process under Pulumi's mocks.\n"
    "Where nothing changes, and of the program, the best of three.",
    ("embedded", "program"),
)
UP = ("up", "--yes", "--stack")
SKIP = "--skip-preview"
ROUNDS = 3
MANY = """\
import pulumi
from pulumi_gcp import secretmanager, serviceaccount

AUTO = secretmanager.SecretReplicationArgs(auto=secretmanager.SecretReplicationAutoArgs())
ROLE = "roles/secretmanager.secretAccessor"
at = {"project": pulumi.Config("gcp").require("project")}
for n in range(125):
    account = serviceaccount.Account(f"account-{n}", account_id=f"account-{n:03}", **at)
    more = {"labels": {"of": account.account_id}, "replication": AUTO, **at}
    secret = secretmanager.Secret(f"secret-{n}", secret_id=f"secret-{n}", **more)
    secretmanager.SecretVersion(f"version-{n}", secret=secret.id, secret_data=f"value {n}")
    reader = {"role": ROLE, "member": account.member, **at}
    secretmanager.SecretIamMember(f"reader-{n}", secret_id=secret.id, **reader)
"""
ALONE = """\
import runpy, sys
from tests.unit.infra.program import mocks
program = lambda: runpy.run_path(sys.argv[1], run_name="__main__")
mocks.run("staging", {"protection": {"public": True}}, program=program)
"""


def measure(below: Path) -> list[Row]:
    """Measure everything in folders below ``below``."""
    rows = []

    def add(*texts: str) -> None:
        rows.append(Row(*texts))
        print(": ".join((texts[0], ", ".join(texts[2:]))), file=sys.stderr)

    archive = Path(write_image(below).removeprefix("oci-archive:"))
    cloud = Whole(below / "pulumi-cloud")
    with ExitStack() as held:
        held.callback(cloud.stop)
        pulumi = project(_folder(below, "environments"), {"SHIPWAY_CLOUD_STATE": str(cloud.state)}, PULUMI)
        took = _timed(deliver, cloud, pulumi, pusher(archive, below / "blobs"), releases(pulumi))
        answering = sum(_answers(cloud, pulumi, stack) for stack in ENVIRONMENTS)
        what = "five environments from nothing, an image pushed for each"
        add(what, "under 60 s", f"{took:.1f}", "", f"{answering} answer")
        alone = _alone(ROOT / "infra")
        took = min(_timed(pulumi, *UP, "staging") for _ in range(ROUNDS))
        what = "`pulumi up` of one again with its preview, nothing changed"
        add(what, "under 2 s", f"{took:.2f}", f"{alone:.2f}", "the program runs twice")
        for row in _many(below, cloud):
            add(*row)
    return rows


def _many(below: Path, cloud: Whole) -> list[tuple[str, ...]]:
    """501 resources, three of four depending on another: made, left as they are, and taken away."""
    folder = _folder(below, "many")
    pulumi = project(folder, {"SHIPWAY_CLOUD_STATE": str(cloud.state)}, PULUMI)
    for file in folder.glob("Pulumi.*.yaml"):
        file.unlink()
    (folder / "__main__.py").write_text(MANY)
    (folder / "Pulumi.yaml").write_text(
        f"name: many\nruntime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n"
    )
    pulumi("stack", "init", "dev")
    pulumi("config", "set", "gcp:project", "shipway-test")
    alone = _alone(folder)
    made = _timed(pulumi, *UP, "dev", SKIP)
    same = min(_timed(pulumi, *UP, "dev", SKIP) for _ in range(ROUNDS))
    twice = min(_timed(pulumi, *UP, "dev") for _ in range(ROUNDS))
    gone = _timed(pulumi, "destroy", "--yes", "--stack", "dev", SKIP)
    return [
        ("501 resources, made", "under 20 s", f"{made:.2f}", f"{alone:.2f}", ""),
        ("... nothing changed", "under 6 s", f"{same:.2f}", f"{alone:.2f}", ""),
        ("... with its preview", "", f"{twice:.2f}", f"{alone:.2f}", "the program runs twice"),
        ("... destroyed", "under 15 s", f"{gone:.2f}", "", ""),
    ]


def _folder(below: Path, name: str) -> Path:
    folder = below / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _timed(function, *words) -> float:
    begun = time.perf_counter()
    function(*words)
    return time.perf_counter() - begun


def _alone(program: Path) -> float:
    """Seconds of the program by itself."""
    command = [sys.executable, "-c", ALONE, str(program)]
    return min(
        _timed(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))
        for _ in range(ROUNDS)
    )


def _answers(cloud: Whole, pulumi, stack: str) -> bool:
    url = json.loads(pulumi("stack", "output", "--json", "--stack", stack))["service_url"]
    try:
        return cloud.get(url, "/env").json()["SHIPWAY_ENVIRONMENT"] == stack
    except (httpx.HTTPError, OSError, KeyError, ValueError):
        return False
