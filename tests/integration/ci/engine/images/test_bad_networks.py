"""Registries that are busy, broken, half there or not there at all."""

import hashlib
import io
import json

import pytest

from ci.engine.images import (
    BrokenImage,
    Image,
    ImageConfig,
    Images,
    Member,
    Reference,
    RegistryDenied,
    RegistryUnreachable,
    pack,
    parse_reference,
)
from ci.engine.images.manifest import read_manifest, save
from ci.engine.images.registry import Credentials, Login, Registry
from ci.engine.store.blobs import Blobs


@pytest.fixture
def served(server, answer, tmp_path) -> Reference:
    """An image on the server that fails on demand."""
    source = Blobs(tmp_path / "source")
    data = bytes(range(256)) * 4000
    layer = pack([Member("data", size=len(data), open=lambda: io.BytesIO(data))], source)
    manifest = save(Image(ImageConfig(), (layer,)), source)
    parts = read_manifest(source.read(manifest.digest), "x")
    content = {"content-type": manifest.media_type}
    server.answers["/v2/app/manifests/1"] = [answer(source.read(manifest.digest), headers=content)]
    for part in (parts.config, *parts.layers):
        server.answers[f"/v2/app/blobs/{part.digest}"] = [answer(source.read(part.digest))]
    return Reference(server.host, "app", "1")


def layer_answers(server):
    return max((a for p, a in server.answers.items() if "/blobs/" in p), key=lambda a: len(a[0].body))


async def test_a_download_that_breaks_is_resumed_where_it_broke(server, served, blobs, answer):
    answers = layer_answers(server)
    answers.insert(0, answer(answers[0].body, cut=1000))
    await Registry(blobs).pull(served)
    ranges = [headers.get("range") for path, headers in server.requests if "/blobs/" in path]
    assert "bytes=1000-" in ranges


async def test_the_next_run_goes_on_with_what_this_one_got(server, served, blobs, answer):
    answers = layer_answers(server)
    whole = answers[0]
    answers[:] = [answer(whole.body, cut=1000), answer(status=404)]
    with pytest.raises(RegistryUnreachable):
        await Registry(blobs).pull(served)
    answers[:] = [whole]
    await Registry(blobs).pull(served)
    assert server.requests[-1][1]["range"] == "bytes=1000-"


async def test_a_busy_registry_is_asked_again_when_it_says(server, served, blobs, answer):
    busy = answer(status=429, headers={"retry-after": "0"})
    server.answers["/v2/app/manifests/1"].insert(0, busy)
    layer_answers(server)[:0] = [busy, answer(status=503, headers={"retry-after": "0"})]
    await Registry(blobs).pull(served)


async def test_a_limit_of_requests_is_named_after_some_patience(server, served, blobs, answer):
    body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "pull rate limit"}]}).encode()
    server.answers["/v2/app/manifests/1"] = [answer(body, 429, {"retry-after": "0"})]
    with pytest.raises(RegistryDenied, match=r"pull rate limit.*wait, log in, or use a mirror"):
        await Registry(blobs).pull(served)


async def test_a_damaged_layer_is_refused_and_forgotten(server, served, blobs, answer):
    answers = layer_answers(server)
    whole = answers[0].body
    answers[0] = answer(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BrokenImage, match="damaged"):
        await Registry(blobs).pull(served)
    assert not list((blobs.root / "fetch").glob("*.part"))
    answers[0] = answer(whole)
    await Registry(blobs).pull(served)


async def test_a_manifest_that_is_not_the_one_asked_for_is_refused(server, blobs, answer):
    digest = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    server.answers[f"/v2/app/manifests/{digest}"] = [answer(b'{"other": 1}')]
    with pytest.raises(BrokenImage, match="came with the digest"):
        await Registry(blobs).pull(Reference(server.host, "app", None, digest))


async def test_a_manifest_of_the_first_kind_is_refused(server, blobs, answer):
    server.answers["/v2/app/manifests/1"] = [answer(b'{"schemaVersion": 1, "fsLayers": []}')]
    with pytest.raises(BrokenImage, match="schema version 2"):
        await Registry(blobs).pull(Reference(server.host, "app", "1"))


@pytest.mark.parametrize("status", [200, 403, 404])
async def test_what_answers_but_is_no_registry_is_said_to_be_none(server, blobs, status, answer):
    server.answers["/v2/app/manifests/1"] = [answer(b"<html>please log in to the network</html>", status)]
    with pytest.raises((RegistryUnreachable, BrokenImage), match=r"registry|JSON"):
        await Registry(blobs).pull(Reference(server.host, "app", "1"))


async def test_a_registry_that_is_not_there_is_named_with_ways_out(blobs):
    unreachable = Registry(blobs, attempts=1)
    with pytest.raises(RegistryUnreachable, match=r"localhost:1 cannot be reached.*SHIPWAY_REGISTRY_MIRRORS"):
        await unreachable.pull(parse_reference("localhost:1/app:1"))


async def test_a_token_is_fetched_from_where_the_registry_says(server, served, blobs, tmp_path, answer):
    challenge = f'Bearer realm="http://{server.host}/token",service="s",scope="repository:app:pull"'
    server.answers["/v2/app/manifests/1"].insert(
        0, answer(status=401, headers={"www-authenticate": challenge})
    )
    server.answers["/token"] = [answer(b'{"token": "abc"}')]
    logins = Credentials({server.host: Login("me", "secret")}, tmp_path / "none")
    await Registry(blobs, credentials=logins).pull(served)
    (token,) = ((path, headers) for path, headers in server.requests if path.startswith("/token"))
    assert "scope=repository" in token[0]
    assert token[1]["authorization"].startswith("Basic ")
    assert server.requests[-1][1]["authorization"] == "Bearer abc"


async def test_a_mirror_of_docker_hub_is_asked_first(server, served, blobs):
    for path in list(server.answers):
        server.answers[path.replace("/app/", "/library/app/")] = server.answers[path]
    mirrored = Registry(blobs, mirror_urls=[f"http://{server.host}"])
    assert (await mirrored.pull(parse_reference("app:1"))).layers


async def test_an_image_that_is_here_needs_no_network(server, served, blobs, tmp_path):
    first = await Images(tmp_path / "state", blobs).resolve(served)
    server.answers.clear()
    asked = len(server.requests)
    assert await Images(tmp_path / "state", blobs).resolve(served) == first
    assert await Images(tmp_path / "state", blobs).resolve(served.at(first.digest)) == first
    assert len(server.requests) == asked


async def test_a_refresh_falls_back_on_what_is_here(server, served, blobs, tmp_path, answer):
    images = Images(tmp_path / "state", blobs)
    first = await images.resolve(served)
    server.answers["/v2/app/manifests/1"] = [answer(status=500, headers={"retry-after": "0"})]
    assert await images.resolve(served, refresh=True) == first


async def test_an_image_whose_layer_was_lost_is_pulled_again(served, blobs, tmp_path):
    images = Images(tmp_path / "state", blobs)
    first = await images.resolve(served)
    blobs.path(first.layers[0].digest).unlink()
    assert await images.resolve(served) == first
    assert blobs.has(first.layers[0].digest)
