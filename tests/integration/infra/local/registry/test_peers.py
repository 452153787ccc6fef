"""The registry with the clients that people have: the engine's own, skopeo, and Dagger's SDK."""

import json
import shutil
import subprocess
from dataclasses import replace

import pytest

from ci.engine.images import (
    Image,
    ImageNotFound,
    Images,
    RegistryDenied,
    UnsupportedPlatform,
    parse_reference,
    write_archive,
)
from ci.engine.images.registry import Registry as Client
from ci.engine.store.blobs import Blobs
from infra.local.registry import Resolver
from tests.integration.infra.local.registry.conftest import HOME, NAME


@pytest.fixture
def name(port):
    return parse_reference(f"localhost:{port}/{NAME}:v1")


@pytest.mark.parametrize("media_types", ["oci", "docker"])
async def test_the_engine_pulls_what_it_pushed(image, blobs, name, tmp_path, media_types):
    digest = await Client(blobs).push(image, name, media_types)
    assert await Client(blobs).digest(name) == digest
    elsewhere = Blobs(tmp_path / "third")
    pulled = await Client(elsewhere).pull(name.at(digest))
    assert pulled.config == image.config
    assert elsewhere.read(pulled.layers[0].digest) == blobs.read(image.layers[0].digest)


async def test_the_engine_pushes_for_several_platforms(image, blobs, name, tmp_path):
    variants = [image, Image(image.config, image.layers, "linux/arm64")]
    await Client(blobs).push(variants, name)
    pulled = await Client(Blobs(tmp_path / "third")).pull(name, "linux/arm64")
    assert pulled.platform == "linux/arm64"


async def test_the_engine_is_told_of_a_missing_repository(image, blobs, name):
    with pytest.raises((ImageNotFound, RegistryDenied), match='Repository "nowhere" not found'):
        await Client(blobs).push(image, replace(name, repository="shipway-test/nowhere/hello"))


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed (apt-get install skopeo)")
async def test_skopeo_copies_in_and_out(image, blobs, name, tmp_path):
    await write_to(tmp_path / "in.tar", image, blobs)
    run("copy", "--dest-tls-verify=false", f"oci-archive:{tmp_path}/in.tar", f"docker://{name}")
    shown = json.loads(run("inspect", "--tls-verify=false", f"docker://{name}"))
    assert shown["RepoTags"] == ["v1"]
    twin = str(name).replace("apps/hello", "other/twin")
    run("copy", "--src-tls-verify=false", "--dest-tls-verify=false", f"docker://{name}", f"docker://{twin}")
    run("copy", "--src-tls-verify=false", f"docker://{twin}@{shown['Digest']}".replace(":v1", ""),
        f"dir:{tmp_path}/out")  # fmt: skip
    assert (tmp_path / "out" / "manifest.json").is_file()
    run("delete", "--tls-verify=false", f"docker://{twin}", fails="still referenced by tag")


async def write_to(path, image, blobs):
    with path.open("wb") as stream:
        write_archive([image], blobs, stream)


def run(command, *arguments, fails=""):
    line = ["skopeo", "--insecure-policy", command, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == bool(fails), done.stderr
    assert fails in done.stderr
    return done.stdout


class TestResolver:
    """References of images that are here."""

    @pytest.fixture
    def resolver(self, served, tmp_path):
        registry, port = served
        return Resolver(registry, port, Images(tmp_path / "images", registry.blobs))

    @pytest.mark.parametrize("kind", ["localhost:{port}", "127.0.0.1:{port}", "europe-west1-docker.pkg.dev"])
    async def test_an_image_is_found_by_all_its_names(self, image, blobs, name, resolver, kind):
        digest = await Client(blobs).push(image, name)
        port = name.registry.partition(":")[2]
        for rest in (":v1", f"@{digest}"):
            found = await resolver.resolve(f"{kind.format(port=port)}/{NAME}{rest}")
            assert (found.digest, found.config) == (digest, image.config)

    async def test_a_tag_that_moved_means_the_new_image(self, image, blobs, name, resolver):
        await Client(blobs).push(image, name)
        await resolver.resolve(name)
        digest = await Client(blobs).push(replace(image, config=replace(image.config, env=("A=2",))), name)
        assert (await resolver.resolve(name)).digest == digest

    async def test_the_platform_is_chosen(self, image, blobs, name, resolver):
        await Client(blobs).push([image, Image(image.config, image.layers, "linux/arm64")], name)
        assert (await resolver.resolve(name)).platform == "linux/amd64"
        assert (await resolver.resolve(name, "linux/arm64")).platform == "linux/arm64"
        with pytest.raises(UnsupportedPlatform):
            await resolver.resolve(name, "linux/s390x")

    @pytest.mark.parametrize(
        "reference",
        ["europe-west1-docker.pkg.dev/shipway-test/apps/nothing:v1",
         "europe-west1-docker.pkg.dev/shipway-test/nowhere/hello:v1",
         "us-east1-docker.pkg.dev/shipway-test/apps/hello:v1",
         f"europe-west1-docker.pkg.dev/{NAME}@sha256:{'0' * 64}"],
    )  # fmt: skip
    async def test_what_is_not_there_is_not_found_without_asking_anybody(
        self, image, blobs, name, resolver, reference
    ):
        await Client(blobs).push(image, name)
        with pytest.raises(ImageNotFound):
            await resolver.resolve(reference)

    async def test_other_names_are_others(self, image, blobs, served, tmp_path):
        registry, port = served
        others = Images(tmp_path / "images", registry.blobs)
        kept = others.remember(parse_reference("example.com/hello:v1"), await pushed(image, blobs, registry))
        assert await Resolver(registry, port, others).resolve("example.com/hello:v1") == kept

    async def test_a_removed_repository_takes_its_images_along(self, image, blobs, name, served, resolver):
        await Client(blobs).push(image, name)
        served[0].remove_repository(HOME)
        with pytest.raises(ImageNotFound):
            await resolver.resolve(name)
        assert not served[0].blobs.has(image.layers[0].digest)


async def pushed(image, blobs, registry):
    for layer in image.layers:
        registry.blobs.put_bytes(blobs.read(layer.digest))
    return image
