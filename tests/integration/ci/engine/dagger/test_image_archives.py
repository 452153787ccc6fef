"""Containers as image archives, as Dagger's own tests (container_test.go, services_test.go) have them."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import dagger
import pytest
from dagger import ImageLayerCompression as Compression
from dagger import ImageMediaTypes as MediaTypes

OCI_TAR = "application/vnd.oci.image.layer.v1.tar"
FOREIGN = dagger.Platform("linux/s390x")


class Archive:
    """An image archive on disk."""

    def __init__(self, path: str) -> None:
        with tarfile.open(path) as archive:
            self._files = {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}
        self.names = set(self._files)

    def read(self, name: str) -> bytes:
        return self._files[name]

    def json(self, name: str) -> Any:
        return json.loads(self.read(name))

    def blob(self, digest: str) -> Any:
        return self.json("blobs/" + digest.replace(":", "/"))

    @property
    def top(self) -> dict:
        """The manifest, or the index of several."""
        return self.blob(self.json("index.json")["manifests"][0]["digest"])

    @property
    def config(self) -> dict:
        return self.blob(self.top["config"]["digest"])["config"]


def mode(path: str) -> int:
    return Path(path).stat().st_mode & 0o777


@pytest.fixture
def exported(tmp_path):
    """Export a container and look into the archive."""

    async def export(container: dagger.Container, **options) -> Archive:
        return Archive(await container.export(str(tmp_path / "image.tar"), **options))

    return export


@pytest.mark.parametrize("as_file", [False, True])
async def test_an_archive_is_both_an_oci_layout_and_dockers(base, tmp_path, as_file):
    container = base.with_entrypoint(["sh", "-c", "im-a-entrypoint"])
    target = str(tmp_path / "image.tar")
    written = container.as_tarball().export(target) if as_file else container.export(target)
    assert await written == target
    assert mode(target) == 0o600
    archive = Archive(target)
    assert {"oci-layout", "index.json", "manifest.json"} <= archive.names
    (entry,) = archive.json("manifest.json")
    assert archive.json(entry["Config"])["config"]["Entrypoint"] == ["sh", "-c", "im-a-entrypoint"]


async def test_an_archive_is_written_seen_from_the_clients_working_directory(base, workdir):
    container = base.with_env_variable("foo", "bar")
    for path, expand in (("here.tar", False), ("./below/there.tar", False), ("${foo}.tar", True)):
        written = await container.export(path, expand=expand)
        assert written == str(workdir / path.replace("${foo}", "bar"))
        assert mode(written) == 0o600
    with pytest.raises(dagger.QueryError):
        await container.export("../")


async def test_what_is_said_of_a_container_is_in_its_configuration(base, exported, dag):
    udp = dagger.NetworkProtocol.UDP
    container = (
        base.with_env_variable("PERSIST", "persist")
        .with_volatile_variable("VOL", "volatile")
        .with_secret_variable("SECRET", dag.set_secret("configured", "hush-hush"))
        .with_label("a", "1")
        .with_user("nobody")
        .with_workdir("/w")
        .with_exposed_port(8000)
        .with_exposed_port(8000, protocol=udp)
        .with_exposed_port(5432)
        .without_exposed_port(5432)
        .with_docker_healthcheck(["sh", "-c", "echo ok"], interval="30s")
    )
    config = (await exported(container)).config
    assert "PERSIST=persist" in config["Env"]
    assert not [item for item in config["Env"] if item.startswith(("VOL=", "SECRET="))]
    assert (config["Labels"], config["User"], config["WorkingDir"]) == ({"a": "1"}, "nobody", "/w")
    assert config["ExposedPorts"] == {"8000/tcp": {}, "8000/udp": {}}
    assert config["Healthcheck"] == {"Test": ["CMD", "sh", "-c", "echo ok"], "Interval": 30_000_000_000}


async def test_a_health_check_comes_back_from_an_archive(base, dag):
    container = base.with_docker_healthcheck(["true"], interval="25s", start_period="1m", retries=8)
    check = dag.container().import_(container.as_tarball()).docker_healthcheck()
    assert await check.args() == ["true"]
    assert (await check.interval(), await check.start_period(), await check.retries()) == ("25s", "1m0s", 8)


async def test_each_directory_that_is_added_is_a_layer_and_nothing_is_none(dag, exported):
    container = dag.container()
    for number in range(10):
        container = container.with_directory(f"/l/{number}", dag.directory().with_new_file("f", str(number)))
    assert len((await exported(container)).top["layers"]) == 10
    assert (await exported(dag.container().with_rootfs(dag.directory()))).top["layers"] == []


async def test_what_is_changed_is_a_layer_on_top_of_those_of_the_image(base, dag, exported):
    seed = dag.container().from_("python:3.11-slim")
    below = (await exported(seed)).top["layers"]
    root = seed.rootfs()
    changes = root.with_new_file("/etc/motd", "new").with_new_file("/added", "").changes(root)
    above = (await exported(seed.with_rootfs(root.with_changes(changes)))).top["layers"]
    assert above[: len(below)] == below
    assert len(above) > len(below)


@pytest.mark.parametrize(
    ("compression", "media_type"),
    [
        (Compression.Gzip, f"{OCI_TAR}+gzip"),
        (Compression.Zstd, f"{OCI_TAR}+zstd"),
        (Compression.Uncompressed, OCI_TAR),
    ],
)
async def test_every_layer_is_compressed_as_told(base, dag, tmp_path, compression, media_type):
    container = base.with_new_file("/x", "kept")
    path = await container.export(str(tmp_path / "image.tar"), forced_compression=compression)
    archive = Archive(path)
    manifest = archive.top
    assert {layer["mediaType"] for layer in manifest["layers"]} == {media_type}
    for layer in manifest["layers"]:
        content = archive.read("blobs/" + layer["digest"].replace(":", "/"))
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == layer["digest"]
        assert len(content) == layer["size"]
    assert await dag.container().import_(dag.host().file(path)).file("/x").contents() == "kept"


async def test_a_compression_that_is_not_there_is_refused_by_name(base):
    with pytest.raises(dagger.QueryError, match="EStarGZ is not served"):
        await base.as_tarball(forced_compression=Compression.EStarGZ).size()


@pytest.mark.parametrize(
    ("media_types", "seen"),
    [
        (MediaTypes.OCIMediaTypes, f"{OCI_TAR}+gzip"),
        (MediaTypes.DockerMediaTypes, "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ],
)
async def test_the_media_types_are_those_asked_for_and_both_can_be_imported(
    base, dag, exported, media_types, seen
):
    container = base.with_env_variable("FOO", "bar")
    archive = await exported(container, media_types=media_types)
    assert {layer["mediaType"] for layer in archive.top["layers"]} == {seen}
    imported = dag.container().import_(container.as_tarball(media_types=media_types))
    assert await imported.with_exec(["printenv", "FOO"]).stdout() == "bar\n"


def variants(base: dagger.Container, dag: dagger.Client) -> list[dagger.Container]:
    foreign = dag.container(platform=FOREIGN).with_new_file("/f", "foreign").with_entrypoint(["foreign"])
    ours = base.with_new_file("/f", "ours").with_entrypoint(["ours"])
    return [each.with_annotation("org.example.v", "1") for each in (ours, foreign)]


async def test_several_platforms_are_one_archive_with_an_index(base, dag, exported):
    ours = await base.platform()
    archive = await exported(dag.container(), platform_variants=variants(base, dag))
    assert "oci-layout" in archive.names
    assert "manifest.json" not in archive.names
    seen = {}
    for entry in archive.top["manifests"]:
        manifest = archive.blob(entry["digest"])
        assert entry["annotations"]["org.example.v"] == manifest["annotations"]["org.example.v"] == "1"
        platform = f"{entry['platform']['os']}/{entry['platform']['architecture']}"
        seen[platform] = archive.blob(manifest["config"]["digest"])["config"]["Entrypoint"]
    assert seen == {ours: ["ours"], FOREIGN: ["foreign"]}


async def test_the_platform_of_the_container_is_imported(base, dag):
    archive = dag.container().as_tarball(platform_variants=variants(base, dag))
    assert await dag.container().import_(archive).file("/f").contents() == "ours"
    assert await dag.container(platform=FOREIGN).import_(archive).file("/f").contents() == "foreign"


async def test_an_archive_can_be_mounted_and_is_the_same_whenever_it_is_made(base, dag):
    container = base.with_new_file("/x", "1")
    step = base.with_mounted_file("/image.tar", container.as_tarball()).with_exec(["sha256sum", "/image.tar"])
    again = base.with_env_variable("AGAIN", "1").with_mounted_file("/image.tar", container.as_tarball())
    assert await step.stdout() == await again.with_exec(["sha256sum", "/image.tar"]).stdout()


async def test_a_step_with_a_service_can_be_exported(base, exported):
    service = (
        base.with_new_file("/srv/index.html", "served")
        .with_workdir("/srv")
        .with_exposed_port(8000)
        .with_default_args(["python3", "-m", "http.server", "8000"])
        .as_service()
    )
    fetch = "import urllib.request as u; open('/got', 'wb').write(u.urlopen('http://www:8000').read())"
    container = base.with_service_binding("www", service).with_exec(["python3", "-c", fetch])
    assert (await exported(container)).top["layers"]
    assert await container.file("/got").contents() == "served"
