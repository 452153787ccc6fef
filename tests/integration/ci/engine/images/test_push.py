"""What is sent to a real registry, and what is not sent again."""

import gzip
import io
import os
import time

import pytest
from backports import zstd

from ci.engine.images import Image, ImageConfig, Member, Reference, RegistryUnreachable, pack
from ci.engine.images.image import OCI_LAYER
from ci.engine.images.registry import Registry
from ci.engine.store.blobs import Blobs
from tests.bench.relay import relay

pytestmark = pytest.mark.network


def layer(blobs: Blobs, size: int, name: str = "data"):
    data = os.urandom(size)
    return pack([Member(name, size=size, open=lambda: io.BytesIO(data))], blobs)


@pytest.fixture
def way(registry):
    with relay(registry) as found:
        yield found


@pytest.fixture
def ours(way, name) -> Reference:
    return Reference(way.host, name, "1")


async def test_an_unchanged_image_is_one_question(blobs, way, ours):
    image = Image(ImageConfig(), (layer(blobs, 100_000), layer(blobs, 50_000)))
    digest = await Registry(blobs).push(image, ours)
    way.asked.clear()
    assert await Registry(blobs).push(image, ours) == digest
    assert [(asked.method, asked.sent) for asked in way.asked] == [("HEAD", 0)]


async def test_of_a_changed_image_only_what_changed_is_sent(blobs, way, ours):
    base = layer(blobs, 300_000)
    await Registry(blobs).push(Image(ImageConfig(), (base,)), ours)
    way.asked.clear()
    added = layer(blobs, 1000)
    await Registry(blobs).push(Image(ImageConfig(), (base, added)), ours)
    assert 1000 < sum(asked.sent for asked in way.asked) < 10_000


async def test_a_layer_of_another_repository_is_mounted_rather_than_sent(blobs, way, ours):
    image = Image(ImageConfig(), (layer(blobs, 300_000),))
    await Registry(blobs).push(image, ours)
    way.asked.clear()
    await Registry(blobs).push(image, Reference(way.host, f"{ours.repository}/other", "1"))
    assert sum(asked.sent for asked in way.asked) < 10_000
    assert any("mount=" in asked.path and f"from={ours.repository}" in asked.path for asked in way.asked)


async def test_a_layer_that_was_pulled_is_mounted_where_it_is_pushed(blobs, way, ours, tmp_path):
    await Registry(blobs).push(Image(ImageConfig(), (layer(blobs, 300_000),)), ours)
    elsewhere = Blobs(tmp_path / "elsewhere")
    pulled = await Registry(elsewhere).pull(ours)
    way.asked.clear()
    await Registry(elsewhere).push(pulled, Reference(way.host, f"{ours.repository}/other", "1"))
    assert sum(asked.sent for asked in way.asked) < 10_000


async def test_an_upload_that_breaks_is_begun_again_where_the_registry_forgot_it(blobs, way, ours, tmp_path):
    way.cuts[:] = [200_000]
    digest = await Registry(blobs).push(Image(ImageConfig(), (layer(blobs, 300_000),)), ours)
    assert way.cuts == []
    assert (await Registry(Blobs(tmp_path / "elsewhere")).pull(ours)).digest == digest


async def test_an_upload_that_breaks_again_and_again_ends_with_an_error(blobs, way, ours):
    way.cuts[:] = [1000] * 100
    image = Image(ImageConfig(), (layer(blobs, 300_000),))
    began = time.monotonic()
    with pytest.raises(RegistryUnreachable, match=f"{way.host} cannot be reached"):
        await Registry(blobs, attempts=2).push(image, ours)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("media_types", ["oci", "docker"])
async def test_every_compression_goes_to_a_registry_and_comes_back(blobs, ours, tmp_path, media_types):
    plain = layer(blobs, 5000)
    with blobs.open(plain.digest) as stream:
        tar = gzip.decompress(stream.read())
    stored = {
        suffix: blobs.put(io.BytesIO(squeeze(tar)))
        for suffix, squeeze in {"": bytes, "+zstd": zstd.compress}.items()
    }
    layers = tuple(
        type(plain)(blob.digest, plain.diff_id, blob.size, f"{OCI_LAYER}{suffix}")
        for suffix, blob in stored.items()
    )
    await Registry(blobs).push(Image(ImageConfig(), layers), ours, media_types)
    pulled = await Registry(Blobs(tmp_path / "elsewhere")).pull(ours)
    assert [each.digest for each in pulled.layers] == [each.digest for each in layers]
