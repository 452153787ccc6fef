"""A base image is put together whole, once, or not at all; and it says why when it cannot be."""

import os
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from ci.engine.images import Images, parse_reference
from ci.engine.state import LAYOUT
from ci.engine.store.blobs import Blobs

IMAGE = "debian:bookworm-slim"


def start(state: Path, dest: Path, image: str = IMAGE, **environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ci.engine.images", "base-image", image, str(dest)]
    wanted = {**os.environ, "SHIPWAY_STATE": str(state), **environ}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=wanted)


@pytest.fixture
def state(tmp_path, cache) -> Path:
    """A state folder with the packages, but with no image yet."""
    place = tmp_path / "state" / LAYOUT
    place.mkdir(parents=True)
    (place / "debian").symlink_to(cache / "debian")
    return tmp_path / "state"


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("moment", ["reading the package lists", "putting the root file system together"])
def test_one_that_is_killed_leaves_nothing_half_made(state, tmp_path, moment):
    with start(state, tmp_path / "image.tar") as process:
        assert any(moment in line for line in process.stderr), "it ended before that"
        process.kill()
    (place,) = state.iterdir()
    blobs = Blobs(place / "blobs")
    assert Images(place, blobs).known(parse_reference(IMAGE), "linux/amd64") is None
    assert not list((place / "blobs").glob("sha256/*/*"))
    assert not (tmp_path / "image.tar").exists()
    # The next one is not kept waiting by what the dead one held.
    again = anyio.run(Images(place, blobs).resolve, IMAGE)
    assert all(blobs.has(layer.digest) for layer in again.layers)


@pytest.mark.slow
@pytest.mark.network
def test_two_sessions_at_once_put_it_together_once(state, tmp_path):
    both = [start(state, tmp_path / f"{number}.tar", "busybox") for number in (1, 2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("putting the root file system together" in each for each in said) == 1
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_without_registry_and_without_mirror_both_are_named_with_what_to_do(tmp_path):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    began = time.monotonic()
    with start(tmp_path / "state", tmp_path / "image.tar", **nowhere) as process:
        *_, last = process.stderr.read().splitlines()
    assert process.returncode == 1
    assert last.startswith("error: debian:bookworm-slim: registry-1.docker.io cannot be reached")
    assert "check the network, the proxy settings and the mirrors in /etc/apt/sources.list(.d)" in last
    assert time.monotonic() - began < 60
