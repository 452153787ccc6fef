"""``Container``: from images, to images and back."""

import json
import tarfile
import uuid

import dagger
import pytest


async def test_an_image_brings_its_configuration(base):
    assert await base.env_variable("LANG") == "C.UTF-8"
    assert await base.default_args() == ["python3"]
    assert await base.platform() == "linux/amd64" or await base.platform() == "linux/arm64"


async def test_a_reference_that_is_none_and_a_registry_that_is_not_there_are_told(dag):
    with pytest.raises(dagger.QueryError, match="UPPER"):
        await dag.container().from_("UPPER/Case").id()
    with pytest.raises(dagger.QueryError, match=r"127\.0\.0\.1:1"):
        await dag.container().from_("127.0.0.1:1/nothing:1").id()


async def test_the_pinned_reference_is_known_until_the_container_changes(dag):
    fresh = dag.container().from_("python:3.11-slim")
    assert (await fresh.image_ref()).startswith("docker.io/library/python:3.11-slim@sha256:")
    with pytest.raises(dagger.QueryError, match="Image reference can only be retrieved immediately after"):
        await fresh.with_new_file("/x", "").image_ref()


async def test_an_exported_image_can_be_imported_and_run(base, dag, tmp_path):
    made = (
        base.with_new_file("/x", "kept")
        .with_exec(["sh", "-c", "rm /etc/motd 2>/dev/null; ln -s x /y; mkdir -p /e/empty"])
        .with_entrypoint(["cat"])
        .with_default_args(["/y"])
        .with_label("l", "1")
        .with_exposed_port(8080)
        .with_user("nobody")
    )
    path = await made.export(str(tmp_path / "image.tar"))
    again = dag.container().import_(dag.host().file(path))
    assert await again.with_exec([], use_entrypoint=True).stdout() == "kept"
    assert await again.user() == "nobody"
    assert await again.label("l") == "1"
    assert [await port.port() for port in await again.exposed_ports()] == [8080]
    assert await again.directory("/e").entries() == ["empty/"]


async def test_an_archive_has_labels_annotations_and_a_layer_for_each_change(base, tmp_path):
    made = base.with_new_file("/a", "1").with_new_file("/b", "2").with_annotation("note", "n")
    path = await made.export(str(tmp_path / "image.tar"))
    plain = await base.export(str(tmp_path / "base.tar"))

    def manifest(file: str) -> dict:
        with tarfile.open(file) as archive:
            index = json.load(archive.extractfile("index.json"))
            digest = index["manifests"][0]["digest"].replace(":", "/")
            return json.load(archive.extractfile(f"blobs/{digest}"))

    assert manifest(path)["annotations"]["note"] == "n"
    assert len(manifest(path)["layers"]) == len(manifest(plain)["layers"]) + 2


async def test_the_same_container_is_the_same_archive_byte_for_byte(base, dag):
    source = dag.directory().with_new_file("f", uuid.uuid4().hex).with_timestamps(0)
    first = await base.with_directory("/d", source).as_tarball().digest(exclude_metadata=True)
    second = (
        await base.with_directory("/d", dag.directory().with_directory("/", source))
        .as_tarball()
        .digest(exclude_metadata=True)
    )
    assert first == second


async def test_an_image_from_nothing_has_what_was_put_in(dag, tmp_path):
    rootfs = dag.directory().with_new_file("only", "this")
    path = await dag.container().with_rootfs(rootfs).export(str(tmp_path / "image.tar"))
    assert await dag.container().import_(dag.host().file(path)).rootfs().entries() == ["only"]


async def test_what_is_no_image_is_refused_by_name(dag):
    file = dag.directory().with_new_file("no-image.tar", "not a tar").file("no-image.tar")
    with pytest.raises(dagger.QueryError, match="import"):
        await dag.container().import_(file).id()


async def test_a_platform_is_written_in_one_way_and_one_that_is_none_is_refused(dag):
    for text, platform in {"linux/aarch64": "linux/arm64", "linux/arm64/v8": "linux/arm64"}.items():
        assert await dag.container(platform=dagger.Platform(text)).platform() == platform
    with pytest.raises(dagger.QueryError, match="unknown operating system or architecture"):
        await dag.container(platform=dagger.Platform("windows98")).id()


async def test_a_container_for_another_platform_can_be_made_but_not_run(dag):
    container = dag.container(platform=dagger.Platform("linux/s390x")).with_new_file("/f", "x")
    assert await container.file("/f").contents() == "x"
    with pytest.raises(dagger.QueryError, match=r"exec format error.*linux/s390x"):
        await container.with_exec(["/f"]).sync()


async def test_a_gpu_is_refused_by_the_fields_name(base):
    with pytest.raises(dagger.QueryError, match=r"Container.experimentalWithAllGPUs is not served .*GPUs"):
        await base.experimental_with_all_gp_us().id()
