"""The engine goes on with an upload that broke off."""

import io
import os

from ci.engine.images import Image, ImageConfig, Member, Reference, pack
from ci.engine.images.registry import Registry
from ci.engine.store.blobs import Blobs
from tests.bench.relay import relay
from tests.integration.infra.local.registry.conftest import NAME


async def test_an_upload_that_breaks_goes_on_where_it_broke(port, tmp_path):
    blobs, data = Blobs(tmp_path / "mine"), os.urandom(4_000_000)
    layer = pack([Member("data", size=len(data), open=lambda: io.BytesIO(data))], blobs)
    with relay(f"127.0.0.1:{port}") as way:
        way.cuts[:] = [3_000_000]
        reference = Reference(way.host, NAME, "1")
        digest = await Registry(blobs).push(Image(ImageConfig(), (layer,)), reference)
        sent = [asked.sent for asked in way.asked if asked.sent > 500_000]
        assert (await Registry(Blobs(tmp_path / "other")).pull(reference)).digest == digest
    assert sum(sent) < 4_500_000
