"""What the engine makes, Docker loads, pulls and runs; what Docker makes, the engine runs."""

import contextlib
import io
import json
import tarfile
from pathlib import Path

import anyio
import dagger
import pytest
from beartype.roar import BeartypeCallHintReturnViolation
from dagger import ImageLayerCompression as Compression
from dagger import ImageMediaTypes as MediaTypes

pytestmark = [pytest.mark.slow, pytest.mark.network]


@pytest.fixture(scope="module")
def small(dag) -> dagger.Container:
    """A container of a few hundred kilobytes, with what layers are made of."""
    return (
        dag.container()
        .from_("busybox")
        .with_exec(
            ["sh", "-c", "mkdir /d && echo kept > /d/f && ln -s f /d/s && ln /d/f /d/h && rm -rf /etc/x"]
        )
        .with_exec(["sh", "-c", "echo gone > /gone; chown 12:34 /d/f; chmod 4755 /d/h"])
        .with_exec(["rm", "/gone"])
        .with_new_file("/new", "new", owner="7:8", permissions=0o640)
        .with_env_variable("GREETING", "hello")
        .with_label("made", "here")
        .with_workdir("/d")
        .with_entrypoint(["sh", "-c"])
        .with_default_args(["echo $GREETING; cat f s h; ls -ln /new; test ! -e /gone"])
    )


async def export(container: dagger.Container, name: str) -> None:
    # The SDK says of this one that it returns a Void, returns None, and has that complained about.
    with contextlib.suppress(BeartypeCallHintReturnViolation):
        await container.export_image(name)


SAID = ["hello", "kept", "kept", "kept"]


def ran(docker, name: str) -> None:
    """Have Docker run the small container, and look at what it says."""
    *said, listing = docker("run", "--rm", "--network=none", name).splitlines()
    assert said == SAID
    assert listing.split()[0] == "-rw-r-----"
    assert listing.split()[2:4] == ["7", "8"]


async def test_an_exported_image_is_among_dockers(small, docker):
    await export(small, "exported:1")
    (found,) = json.loads(docker("inspect", "exported:1"))
    assert found["Config"]["Labels"] == {"made": "here"}
    ran(docker, "exported:1")


@pytest.mark.parametrize("media_types", list(MediaTypes))
@pytest.mark.parametrize("compression", [None, Compression.Gzip, Compression.Uncompressed])
async def test_docker_loads_and_runs_an_archive(small, docker, tmp_path, media_types, compression):
    path = tmp_path / "image.tar"
    await small.export(str(path), media_types=media_types, forced_compression=compression)
    loaded = docker("load", "--quiet", "--input", path)
    ran(docker, loaded.rpartition("ID: ")[2])


async def test_docker_pulls_and_runs_what_was_published(small, docker, registry):
    for media_types in MediaTypes:
        reference = await small.publish(f"{registry}/both/ways:{media_types.value}", media_types=media_types)
        docker("pull", reference)
        ran(docker, reference)


@pytest.fixture(scope="module")
def built(docker, small, tmp_path_factory):
    """An image that Docker built, from nothing, with a static shell."""

    async def build(*names: str) -> None:
        context = tmp_path_factory.mktemp("context")
        await small.file("/bin/busybox").export(str(context / "busybox"))
        lines = (
            'FROM scratch\nCOPY busybox /bin/sh\nWORKDIR /w\nENV A=1\nCOPY busybox x\nLABEL l=m\nCMD ["sh"]\n'
        )
        (context / "Dockerfile").write_text(lines)
        docker("build", "--quiet", *(f"--tag={name}" for name in names), context)

    return build


async def looks_right(container: dagger.Container) -> None:
    assert await container.workdir() == "/w"
    assert await container.env_variable("A") == "1"
    assert await container.label("l") == "m"
    assert await container.with_exec(["sh", "-c", "echo $A; test -x /w/x"]).stdout() == "1\n"


async def test_an_image_of_dockers_is_run(dag, built):
    await built("built:1")
    await looks_right(dag.host().container_image("built:1"))


async def test_a_name_that_means_another_image_by_now_is_the_other_image(dag, docker, small):
    await export(small.with_label("turn", "1"), "turned:1")
    assert await dag.host().container_image("turned:1").label("turn") == "1"
    await export(small.with_label("turn", "2"), "turned:1")
    assert await dag.host().container_image("turned:1").label("turn") == "2"


async def test_an_archive_that_docker_saved_is_imported_by_tag(dag, docker, built, tmp_path):
    await built("saved:1", "saved:2")
    docker("save", "--output", tmp_path / "saved.tar", "saved:1", "saved:2")
    for tag in ("1", "2"):
        container = dag.container().import_(dag.host().file(str(tmp_path / "saved.tar")), tag=tag)
        await looks_right(container)
    with pytest.raises(dagger.QueryError, match=r"no image '3'.*saved:1"):
        await dag.container().import_(dag.host().file(str(tmp_path / "saved.tar")), tag="3").sync()


async def test_what_docker_pushed_is_pulled(dag, docker, built, registry):
    name = f"{registry}/from/docker:1"
    await built(name)
    docker("push", "--quiet", name)
    await looks_right(dag.container().from_(name))


async def test_what_skopeo_copied_between_formats_is_imported(dag, docker_host, built, tmp_path):
    await built("copied:1")
    command = ["skopeo", "copy", "--quiet", f"--src-daemon-host={docker_host}", "docker-daemon:copied:1"]
    for form in ("oci-archive", "docker-archive"):
        await anyio.run_process([*command, f"{form}:{tmp_path}/{form}:copied:1"])
        await looks_right(dag.container().import_(dag.host().file(f"{tmp_path}/{form}")))


async def test_an_image_that_docker_has_not_is_named(dag):
    with pytest.raises(dagger.QueryError, match=r"no/such:1 is not among docker's images.*docker image ls"):
        await dag.host().container_image("no/such:1").sync()


async def test_a_name_that_is_none_is_refused_before_docker_is_asked(dag, small):
    with pytest.raises(dagger.QueryError, match="failed to parse image address Not A Name"):
        await small.export_image("Not A Name")


async def test_dockers_archive_of_several_images_names_each(docker, tmp_path, built):
    """What `import(tag)` relies on."""
    await built("saved:1", "saved:2")
    docker("save", "--output", tmp_path / "two.tar", "saved:1", "saved:2")
    with tarfile.open(Path(tmp_path / "two.tar")) as archive:
        listed = json.load(io.TextIOWrapper(archive.extractfile("manifest.json")))
    assert sorted(tag for each in listed for tag in each["RepoTags"]) == ["saved:1", "saved:2"]
