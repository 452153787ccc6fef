"""Without a container runtime, what needs one is refused as Dagger refuses it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

QUERIES = ['{container{exportImage(name:"x:1")}}', '{host{containerImage(name:"x:1"){id}}}']


@pytest.mark.parametrize("query", QUERIES)
def test_a_host_without_a_runtime_is_told_so(query, tmp_path):
    command = [Path(sys.executable).with_name("dagger"), "query", "--embedded"]
    environ = {**os.environ, "_EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE": "none-image"}
    done = subprocess.run(
        command, input=query, text=True, capture_output=True, env=environ, cwd=tmp_path, check=False
    )
    assert done.returncode != 0
    assert "client has no supported api for loading image" in done.stdout + done.stderr
