"""A large update that is killed: its checkpoint is whole again at once, without anybody's doing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.engine.state.backend import Backend
from infra.engine.state.reference import Reference

ROOT = Path(__file__).parents[5]
DEV = Reference("shop", "dev")

UPDATE = """\
import sys, anyio
from infra.engine.deploy.contract import Change
from infra.engine.state import journal
from infra.engine.state.backend import Backend
from infra.engine.state.model import Operation, Resource, Snapshot
from infra.engine.state.reference import Reference

journal.SMALL, journal.IDLE = 0, 3600

def resource(name):
    urn = f"urn:pulumi:dev::shop::t:t:T::{name}"
    return Resource(urn, "t:t:T", custom=True, id=name, inputs={"pad": "x" * 500})

async def main():
    backend = Backend(f"file://{sys.argv[1]}", {})
    async with journal.recording(backend, Reference("shop", "dev"), Snapshot(), None, "v3.0.0") as made:
        for number in range(5):
            await made.end(None, Change(appends=(resource(f"r{number}"),)))
        await made.begin(Operation(resource("r5"), "creating"))
        print("under way", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.fixture
def backend(tmp_path):
    backend = Backend(f"file://{tmp_path}", {})
    backend.create(DEV)
    return backend


def test_who_is_killed_leaves_no_lagging_checkpoint(backend):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", UPDATE, str(backend.root)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "under way\n"
        lagging = json.loads(backend.path(DEV).read_bytes())
        assert lagging["features"] == ["shipway-journal"]
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while backend.journal_path(DEV).exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # the watcher is nobody's child that could be waited for
    document = json.loads(backend.path(DEV).read_bytes())
    latest = document["checkpoint"]["latest"]
    assert document["version"] == 3
    assert [item["id"] for item in latest["resources"]] == [f"r{number}" for number in range(5)]
    assert [item["resource"]["id"] for item in latest["pending_operations"]] == ["r5"]
