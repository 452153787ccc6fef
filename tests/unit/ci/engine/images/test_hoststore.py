"""The container runtime of the host is the first that answers; what it says of an image is told."""

import pytest

from ci.engine.images import ImageError, ImageNotFound, parse_reference
from ci.engine.images.hoststore import HostStore, find

NAME = parse_reference("app:1")


@pytest.fixture
def runtimes(tmp_path):
    """Make commands that do as a line of shell says; the environment with them alone."""

    def make(**lines: str) -> dict[str, str]:
        for name, line in lines.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
            (tmp_path / name).chmod(0o755)
        return {"PATH": str(tmp_path)}

    return make


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ({}, None),
        ({"docker": "exit 0", "podman": "exit 0"}, "docker"),
        ({"docker": "echo no daemon >&2; exit 1", "podman": "exit 0"}, "podman"),
        ({"docker": "exit 1"}, None),
        ({"nerdctl": "exit 0", "finch": "exit 0"}, "finch"),
    ],
)
async def test_the_first_runtime_that_answers_is_taken(runtimes, lines, found):
    store = await find(runtimes(**lines))
    assert (store and store.runtime) == found


@pytest.mark.parametrize(
    ("named", "found"), [("podman-image", "podman"), ("docker-image", None), ("x", None)]
)
async def test_a_runtime_that_is_named_is_the_only_one(runtimes, named, found):
    environ = {**runtimes(podman="exit 0", x="exit 0"), "_EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE": named}
    store = await find(environ)
    assert (store and store.runtime) == found


async def test_an_image_that_is_not_there_is_named_with_what_lists_those_that_are(runtimes, tmp_path):
    runtimes(docker="echo Error: No such image: app:1 >&2; exit 1")
    with pytest.raises(ImageNotFound, match=r"app:1 is not among docker's images.*`docker image ls`"):
        await HostStore(str(tmp_path / "docker")).identity(NAME)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cat > /dev/null; echo no space left on device >&2; exit 1", "docker load failed: no space left"),
        ("cat > /dev/null; exit 3", "docker load failed: exit status 3"),
        ("cat > /dev/null; echo well", "unexpected output from docker load: well"),
    ],
)
async def test_a_runtime_that_does_not_take_an_image_says_why(runtimes, tmp_path, line, told):
    runtimes(docker=line)
    (tmp_path / "image.tar").write_bytes(b"image")
    with (tmp_path / "image.tar").open("rb") as archive, pytest.raises(ImageError, match=told):
        await HostStore(str(tmp_path / "docker")).load(archive, NAME)


@pytest.mark.parametrize("said", ["Loaded image ID: sha256:12ab", "Loaded image: localhost/x:latest"])
async def test_what_was_loaded_is_given_its_name(runtimes, tmp_path, said):
    runtimes(
        docker=f'[ "$1" = load ] && {{ cat > {tmp_path}/got; echo "{said}"; }} || echo "$@" > {tmp_path}/tag'
    )
    (tmp_path / "image.tar").write_bytes(b"image")
    with (tmp_path / "image.tar").open("rb") as archive:
        await HostStore(str(tmp_path / "docker")).load(archive, NAME)
    assert (tmp_path / "got").read_bytes() == b"image"
    assert (tmp_path / "tag").read_text() == f"tag {said.rpartition(': ')[2]} docker.io/library/app:1\n"
