"""Pulling from and pushing to a real registry."""

import base64
import io
import json
from dataclasses import replace

import pytest

from ci.engine.images import (
    Image,
    ImageConfig,
    ImageNotFound,
    Member,
    Reference,
    RegistryDenied,
    UnsupportedPlatform,
    pack,
    parse_reference,
)
from ci.engine.images.registry import Credentials, Login, Registry
from ci.engine.store.blobs import Blobs

pytestmark = pytest.mark.network


@pytest.fixture
def image(blobs) -> Image:
    layer = pack([Member("hello", size=5, open=lambda: io.BytesIO(b"hello"))], blobs)
    return Image(ImageConfig(env=("A=1",), cmd=("/hello",)), (layer,), annotations=(("note", "kept"),))


@pytest.fixture
def elsewhere(tmp_path) -> Blobs:
    return Blobs(tmp_path / "elsewhere")


@pytest.mark.parametrize("media_types", ["oci", "docker"])
async def test_what_was_pushed_is_pulled(image, blobs, elsewhere, ours, media_types):
    digest = await Registry(blobs).push(image, ours, media_types)
    pulled = await Registry(elsewhere).pull(ours)
    assert pulled.digest == digest
    assert pulled.config == image.config
    assert elsewhere.read(pulled.layers[0].digest) == blobs.read(image.layers[0].digest)


async def test_what_was_pulled_is_pushed_under_the_same_digest(image, blobs, elsewhere, ours):
    digest = await Registry(blobs).push(image, ours)
    pulled = await Registry(elsewhere).pull(ours)
    assert (
        await Registry(elsewhere).push(pulled, replace(ours, repository=f"{ours.repository}/copy")) == digest
    )


async def test_an_image_is_pulled_by_its_digest(image, blobs, elsewhere, ours):
    digest = await Registry(blobs).push(image, ours)
    assert await Registry(blobs).digest(ours) == digest
    pinned = replace(ours, tag=None, digest=digest)
    assert (await Registry(elsewhere).pull(pinned)).digest == digest


async def test_variants_are_picked_by_platform(image, blobs, elsewhere, ours):
    await Registry(blobs).push([image, replace(image, platform="linux/arm64/v8")], ours)
    assert (await Registry(elsewhere).pull(ours)).platform == "linux/amd64"
    assert (await Registry(elsewhere).pull(ours, "linux/arm64")).platform == "linux/arm64/v8"
    with pytest.raises(UnsupportedPlatform, match="linux/amd64, linux/arm64/v8"):
        await Registry(elsewhere).pull(ours, "linux/s390x")


async def test_an_image_for_one_platform_alone_is_not_given_for_another(image, blobs, ours):
    await Registry(blobs).push(image, ours)
    with pytest.raises(UnsupportedPlatform, match="is for linux/amd64, not for linux/arm64"):
        await Registry(blobs).pull(ours, "linux/arm64")


async def test_pushing_again_sends_no_blob_again(image, blobs, ours):
    await Registry(blobs).push(image, ours)
    blobs.path(image.layers[0].digest).unlink()
    await Registry(blobs).push(image, ours)


async def test_an_image_that_is_not_there_is_named(registry, blobs):
    with pytest.raises(ImageNotFound, match=rf"{registry}/no/such:1 is not in the registry {registry}"):
        await Registry(blobs).pull(parse_reference(f"{registry}/no/such:1"))


async def test_a_private_registry_lets_in_who_has_a_login(image, blobs, elsewhere, private_registry, name):
    reference = Reference(private_registry, name, "1")
    credentials = Credentials({private_registry: Login("me", "secret")})
    digest = await Registry(blobs, credentials=credentials).push(image, reference)
    assert (await Registry(elsewhere, credentials=credentials).pull(reference)).digest == digest


async def test_a_login_that_docker_kept_is_used(image, blobs, private_registry, name, tmp_path):
    auth = base64.b64encode(b"me:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {private_registry: {"auth": auth}}}))
    credentials = Credentials(config=tmp_path / "config.json")
    await Registry(blobs, credentials=credentials).push(image, Reference(private_registry, name, "1"))


@pytest.mark.parametrize("logins", [(), (Login("me", "wrong"),)])
async def test_a_private_registry_keeps_others_out(image, blobs, private_registry, name, logins):
    found = Credentials(dict.fromkeys([private_registry], *logins) if logins else {}, blobs.root / "none")
    closed = Registry(blobs, credentials=found)
    with pytest.raises(RegistryDenied, match="docker login") as failure:
        await closed.push(image, Reference(private_registry, name, "1"))
    assert "wrong" not in str(failure.value)
