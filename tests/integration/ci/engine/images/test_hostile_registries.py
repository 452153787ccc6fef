"""Registries that stall, lie, leak or never end: one clear error, in time, and nothing given away."""

import io
import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest

from ci.engine.images import (
    BrokenImage,
    Image,
    ImageConfig,
    Member,
    Reference,
    RegistryDenied,
    RegistryUnreachable,
    UnsupportedPlatform,
    pack,
)
from ci.engine.images.manifest import read_manifest, save
from ci.engine.images.registry import Credentials, Login, Registry
from ci.engine.images.registry.settings import Settings
from ci.engine.store.blobs import Blobs

pytestmark = pytest.mark.usefixtures("hurried")

MANIFEST, INDEX = "/v2/app/manifests/1", "application/vnd.oci.image.index.v1+json"
NOW = {"retry-after": "0"}


@pytest.fixture
def serve(answer, tmp_path):
    """Have a server offer an image; the paths of its configuration and of its layer."""

    def offer(server, size: int = 100_000) -> tuple[str, str]:
        source = Blobs(tmp_path / "source")
        data = bytes(range(256)) * (size // 256)
        layer = pack([Member("data", size=len(data), open=lambda: io.BytesIO(data))], source)
        manifest = save(Image(ImageConfig(), (layer,)), source)
        parts = read_manifest(source.read(manifest.digest), "x")
        content = {"content-type": manifest.media_type}
        server.answers[MANIFEST] = [answer(source.read(manifest.digest), headers=content)]
        paths = tuple(f"/v2/app/blobs/{part.digest}" for part in (parts.config, *parts.layers))
        for path in paths:
            server.answers[path] = [answer(source.read(path.rpartition("/")[2]))]
        return paths

    return offer


def app(server) -> Reference:
    return Reference(server.host, "app", "1")


def changed(server, **members) -> None:
    """Have the manifest say something else."""
    (only,) = server.answers[MANIFEST]
    only.body = json.dumps({**json.loads(only.body), **members}).encode()


async def test_a_registry_that_stalls_is_given_up(server, blobs, answer):
    server.answers[MANIFEST] = [answer(stalls=True)]
    began = time.monotonic()
    with pytest.raises(RegistryUnreachable, match=rf"{server.host}/app:1: {server.host} cannot be reached"):
        await Registry(blobs, idle=0.2, attempts=2).pull(app(server))
    assert time.monotonic() - began < 5
    assert len(server.requests) == 2


async def test_a_layer_that_only_drips_is_given_up(server, serve, blobs, answer):
    _, layer = serve(server)
    server.answers[layer] = [answer(server.answers[layer][0].body, drips=0.02)]
    with pytest.raises(RegistryUnreachable, match="stalls"):
        await Registry(blobs, idle=0.1, attempts=1).pull(app(server))


async def test_a_pull_that_is_cancelled_ends_at_once_and_goes_on_later(server, serve, blobs, answer):
    _, layer = serve(server)
    whole = server.answers[layer][0]
    server.answers[layer] = [answer(stalls=True)]
    with anyio.move_on_after(0.5) as scope:
        await Registry(blobs).pull(app(server))
    assert scope.cancelled_caught
    server.answers[layer] = [whole]
    assert await Registry(blobs).pull(app(server))


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_registry_that_is_always_busy_is_not_asked_for_ever(server, serve, blobs, answer, status):
    _, layer = serve(server)
    server.answers[layer] = [answer(b'{"errors": [{"code": "BUSY"}]}', status, NOW)]
    with pytest.raises((RegistryUnreachable, RegistryDenied), match=f"{server.host}/app:1: .*BUSY"):
        await Registry(blobs).pull(app(server))
    assert sum("/blobs/" in path for path, _ in server.requests) <= 6


async def test_waits_that_are_too_long_are_left_to_the_user(server, blobs, answer):
    body = b'{"errors": [{"code": "TOOMANYREQUESTS"}]}'
    server.answers[MANIFEST] = [answer(body, 429, {"retry-after": "3600"})]
    with pytest.raises(RegistryDenied, match="come back after 3600 s"):
        await Registry(blobs).pull(app(server))
    assert len(server.requests) == 1


async def test_a_registry_may_say_until_when_it_is_busy(server, serve, blobs, answer):
    serve(server)
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    server.answers[MANIFEST].insert(0, answer(status=503, headers={"retry-after": until}))
    assert await Registry(blobs).pull(app(server))
    assert len([path for path, _ in server.requests if path == MANIFEST]) == 2


async def test_a_layer_that_always_breaks_at_the_same_byte_is_given_up(server, serve, blobs, answer):
    _, layer = serve(server)
    body = server.answers[layer][0].body
    server.answers[layer] = [answer(body, cut=0)]
    with pytest.raises(RegistryUnreachable, match="cannot be reached"):
        await Registry(blobs).pull(app(server))
    assert len([path for path, _ in server.requests if path == layer]) == 4


async def test_a_layer_that_breaks_often_is_resumed_as_long_as_it_grows(server, serve, blobs, answer):
    _, layer = serve(server)
    body = server.answers[layer][0].body
    server.answers[layer] = [*(answer(body, cut=len(body) // 4) for _ in range(3)), answer(body)]
    assert await Registry(blobs).pull(app(server))
    ranges = [headers.get("range") for path, headers in server.requests if path == layer]
    assert ranges[0] is None
    assert len(set(ranges)) == len(ranges)


async def test_a_layer_that_goes_on_after_its_end_is_refused(server, serve, blobs, answer):
    _, layer = serve(server)
    body = server.answers[layer][0].body
    server.answers[layer] = [answer(body + bytes(1 << 20))]
    with pytest.raises(BrokenImage, match=rf"{server.host}/app:1 came damaged from {server.host}"):
        await Registry(blobs).pull(app(server))
    assert not list((blobs.root / "fetch").glob("*"))


async def test_a_manifest_whose_digest_lies_is_refused(server, serve, blobs):
    serve(server)
    server.answers[MANIFEST][0].headers["docker-content-digest"] = f"sha256:{'0' * 64}"
    with pytest.raises(BrokenImage, match=rf"{server.host}/app:1 from {server.host} should be sha256:0000"):
        await Registry(blobs).pull(app(server))


async def test_a_manifest_that_is_huge_is_not_read_to_its_end(server, blobs, answer):
    server.answers[MANIFEST] = [answer(b'{"a": "' + b"x" * (5 << 20) + b'"}')]
    with pytest.raises(RegistryUnreachable, match="longer than any manifest"):
        await Registry(blobs).pull(app(server))


async def test_a_manifest_that_is_nested_without_end_is_refused(server, blobs, answer):
    server.answers[MANIFEST] = [answer(b'{"config":' + b"[" * 200_000)]
    with pytest.raises(BrokenImage, match=f"{server.host}/app:1|manifest"):
        await Registry(blobs).pull(app(server))


@pytest.mark.parametrize(
    "digest", ["sha256:../../../../etc/passwd", "sha512:" + "0" * 128, "../x", 5, f"sha256:{'0' * 63}/"]
)
async def test_a_digest_is_never_a_path(server, serve, blobs, digest):
    serve(server)
    changed(server, config={"mediaType": "x", "digest": digest, "size": 2})
    with pytest.raises(BrokenImage, match="which is not sha256: and 64 hex digits"):
        await Registry(blobs).pull(app(server))


@pytest.mark.parametrize(
    ("media_type", "told"),
    [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign layer"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "foreign layer"),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"),
        ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "no container image"),
    ],
)
async def test_layers_that_no_registry_keeps_or_nobody_can_read_are_refused(
    server, serve, blobs, media_type, told
):
    serve(server)
    layer = {
        "mediaType": media_type,
        "digest": f"sha256:{'0' * 64}",
        "size": 1,
        "urls": ["http://elsewhere/"],
    }
    changed(server, layers=[layer])
    with pytest.raises(BrokenImage, match=rf"{server.host}/app:1 has a .*{told}"):
        await Registry(blobs).pull(app(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize("members", [{"layers": 5}, {"layers": [5]}, {"config": "x"}, {"annotations": [1]}])
async def test_a_manifest_of_the_wrong_shape_is_an_error_or_no_matter(server, serve, blobs, members):
    serve(server)
    changed(server, **members)
    try:
        await Registry(blobs).pull(app(server))
    except BrokenImage as error:
        assert server.host in str(error)  # noqa: PT017 - either is well


async def test_an_image_for_other_platforms_alone_is_refused_with_theirs(server, blobs, answer):
    entries = [
        {"digest": f"sha256:{'0' * 64}", "size": 2, "platform": {"os": os, "architecture": architecture}}
        for os, architecture in (("windows", "amd64"), ("linux", "s390x"))
    ]
    body = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    server.answers[MANIFEST] = [answer(body, headers={"content-type": INDEX})]
    with pytest.raises(
        UnsupportedPlatform, match=r"for linux/amd64 \(it is for: linux/s390x, windows/amd64\)"
    ):
        await Registry(blobs).pull(app(server))


def _challenge(answer, realm: str):
    return answer(status=401, headers={"www-authenticate": f'Bearer realm="{realm}",service="s"'})


@pytest.fixture
def logins(tmp_path, server):
    return Credentials({server.host: Login("me", "secret")}, tmp_path / "none")


async def test_a_redirect_to_another_host_does_not_take_the_token_along(
    *, server, other, serve, answer, logins, tmp_path
):
    _, layer = serve(server)
    server.answers[MANIFEST].insert(0, _challenge(answer, f"http://{server.host}/token"))
    server.answers["/token"] = [answer(b'{"token": "mine"}')]
    other.answers["/elsewhere"] = server.answers[layer]
    server.answers[layer] = [answer(status=307, headers={"location": f"http://{other.host}/elsewhere"})]
    await Registry(Blobs(tmp_path / "here"), credentials=logins).pull(app(server))
    ((_, headers),) = other.requests
    assert "authorization" not in headers
    assert any(headers.get("authorization") == "Bearer mine" for _, headers in server.requests)


async def test_a_token_that_runs_out_during_a_pull_is_renewed(server, serve, blobs, answer, logins):
    _, layer = serve(server)
    challenge = _challenge(answer, f"http://{server.host}/token")
    server.answers[MANIFEST].insert(0, challenge)
    server.answers[layer].insert(0, challenge)
    server.answers["/token"] = [answer(b'{"token": "first"}'), answer(b'{"token": "second"}')]
    await Registry(blobs, credentials=logins).pull(app(server))
    assert server.requests[-1][1]["authorization"] == "Bearer second"


@pytest.fixture
def trusting(tmp_path, certificate, secure) -> Settings:
    """Settings of a host where Docker has been told to trust the secure server."""
    folder = tmp_path / "host/etc/docker/certs.d" / secure.host
    folder.mkdir(parents=True)
    shutil.copy(certificate[0], folder / "ca.crt")
    return Settings({}, tmp_path / "host", tmp_path / "home")


async def test_a_registry_with_a_certificate_of_its_own_is_trusted_where_docker_trusts_it(
    secure, serve, blobs, trusting
):
    serve(secure)
    assert await Registry(blobs, settings=trusting).pull(app(secure))


async def test_a_certificate_that_nobody_vouches_for_is_refused(secure, serve, blobs, tmp_path):
    serve(secure)
    (tmp_path / "host/etc/docker/certs.d" / secure.host).mkdir(parents=True)
    settings = Settings({}, tmp_path / "host", tmp_path / "home")
    with pytest.raises(RegistryUnreachable, match=r"(?i)certificate"):
        await Registry(blobs, settings=settings, attempts=1).pull(app(secure))


async def test_an_insecure_registry_may_have_any_certificate_or_none(secure, server, serve, blobs, tmp_path):
    (tmp_path / "host/etc/docker").mkdir(parents=True)
    listed = json.dumps({"insecure-registries": ["127.0.0.0/8"]})
    (tmp_path / "host/etc/docker/daemon.json").write_text(listed)
    (tmp_path / "host/etc/docker/certs.d" / secure.host).mkdir(parents=True)
    settings = Settings({}, tmp_path / "host", tmp_path / "home")
    for each in (secure, server):
        serve(each)
        assert await Registry(Blobs(tmp_path / each.host), settings=settings).pull(app(each))


async def test_a_login_is_not_sent_in_the_clear_by_a_registry_that_is_not(
    *, secure, other, serve, blobs, answer, trusting, tmp_path
):
    serve(secure)
    secure.answers[MANIFEST].insert(0, _challenge(answer, f"http://{other.host}/token"))
    logins = Credentials({secure.host: Login("me", "secret")}, tmp_path / "none")
    with pytest.raises(RegistryDenied, match="for anyone on the way to read") as failure:
        await Registry(blobs, settings=trusting, credentials=logins).pull(app(secure))
    assert other.requests == []
    assert "secret" not in str(failure.value)


async def test_a_mirror_is_not_shown_the_login_for_the_registry_it_mirrors(
    server, serve, blobs, answer, tmp_path
):
    serve(server)
    for path in list(server.answers):
        server.answers[path.replace("/app/", "/library/app/")] = server.answers[path]
    asked = answer(status=401, headers={"www-authenticate": 'Basic realm="mirror"'})
    server.answers["/v2/library/app/manifests/1"] = [asked]
    logins = Credentials({"docker.io": Login("me", "secret")}, tmp_path / "none")
    mirrored = Registry(
        blobs, credentials=logins, mirror_urls=[f"http://{server.host}"], connect=0.2, attempts=1
    )
    with pytest.raises((RegistryUnreachable, RegistryDenied)):
        await mirrored.pull(Reference("docker.io", "library/app", "1"))
    assert all("authorization" not in headers for _, headers in server.requests)
