"""Images that are not there, are damaged, or are not what they are said to be."""

import hashlib
import http.server
import json
import threading

import pytest

from infra.local.runtime.contract import DeployFailed


@pytest.fixture
def registry():
    """A registry that answers what it is told to, by path; the port is its `server_port`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Told) as server:
        server.told = {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def failure(staged, image):
    with pytest.raises(DeployFailed) as caught:
        staged.tell("deploy", staged.spec(image=image))
    assert caught.value.reason == "CONTAINER_MISSING"
    return caught.value.message


def test_an_image_that_is_not_there_is_missing(staged, registry):
    assert failure(staged, "oci-archive:/nowhere.tar") == "Image 'oci-archive:/nowhere.tar' not found."
    name = f"localhost:{registry.server_port}/acme/app:latest"
    assert failure(staged, name) == f"Image '{name}' not found."


def test_an_archive_that_is_damaged_is_refused(staged, tmp_path):
    (tmp_path / "bad.tar").write_bytes(b"no archive")
    assert "could not be imported" in failure(staged, f"oci-archive:{tmp_path / 'bad.tar'}")


@pytest.mark.parametrize("name", ["UPPER/Case:tag", "app@sha256:short", "", "a b"])
def test_a_reference_that_is_none_is_refused(staged, name):
    assert failure(staged, name).startswith(f"Image '{name}' not found")


def test_a_digest_that_lies_is_refused(staged, registry):
    manifest = json.dumps({"schemaVersion": 2, "layers": []}).encode()
    said = "sha256:" + hashlib.sha256(b"something else").hexdigest()
    registry.told[f"/v2/acme/app/manifests/{said}"] = manifest
    assert "digest" in failure(staged, f"localhost:{registry.server_port}/acme/app@{said}")


def test_a_layer_that_is_not_what_its_manifest_says_is_refused(staged, registry):
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]},
        }
    ).encode()
    layer = b"these are not the bytes"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": "sha256:" + hashlib.sha256(b"what it should be").hexdigest(),
                    "size": len(layer),
                }
            ],
        }
    ).encode()
    for kind, key, body in (
        ("manifests", "latest", manifest),
        ("blobs", _digest(config), config),
        ("blobs", json.loads(manifest)["layers"][0]["digest"], layer),
    ):
        registry.told[f"/v2/acme/app/{kind}/{key}"] = body
    assert "could not be imported" in failure(staged, f"localhost:{registry.server_port}/acme/app:latest")


def test_what_is_broken_once_works_when_it_is_mended(staged, registry, image):
    name = f"localhost:{registry.server_port}/acme/app:latest"
    failure(staged, name)
    staged.deploy(image=image)
    assert staged.get().status == 200


def _digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(kind, data):
    return {"mediaType": kind, "digest": _digest(data), "size": len(data)}


class _Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.told.get(self.path)
        self.send_response(404 if body is None else 200)
        body = body or b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  the library's name

    def log_message(self, *_):
        pass
