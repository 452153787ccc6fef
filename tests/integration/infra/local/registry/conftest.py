"""A registry in a thread of its own, and images to push there."""

import asyncio
import contextlib
import hashlib
import io
import json
import threading

import pytest

from ci.engine.images import Image, ImageConfig, Member, pack
from ci.engine.store.blobs import Blobs
from infra.local.registry import Registry, Repository
from tests.integration.infra.local import plain
from tests.integration.infra.local.serving import Server, listen

HOME = "projects/shipway-test/locations/europe-west1/repositories/apps"
NAME = "shipway-test/apps/hello"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Listed:
    """Repositories that a test says."""

    def __init__(self, *names):
        self.repositories = [Repository(name) for name in names]

    def find(self, project, repository, location):
        for each in self.repositories:
            _, p, _, where, _, r = each.name.split("/")
            if (p, r) == (project, repository) and location in {"", where}:
                return each
        return None

    def known(self, project):
        return any(each.name.split("/")[1] == project for each in self.repositories)

    def create(self, *_name):
        return None


@contextlib.contextmanager
def serving(folder, repositories):
    """The registry and its port."""
    listener, ready, box = listen(), threading.Event(), {}

    async def main():
        registry = box["registry"] = Registry(folder, Blobs(folder / "blobs"), repositories)
        box["loop"] = asyncio.get_running_loop()
        server = box["server"] = Server(registry)
        ready.set()
        await server.serve(sockets=[listener])
        registry.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield box["registry"], listener.getsockname()[1]
    finally:
        box["loop"].call_soon_threadsafe(box["server"].end)
        thread.join(10)
        listener.close()


@pytest.fixture
def repositories():
    return Listed(HOME, HOME.replace("apps", "other"))


@pytest.fixture
def served(tmp_path, repositories):
    with serving(tmp_path / "registry", repositories) as both:
        yield both


@pytest.fixture
def port(served):
    return served[1]


@pytest.fixture
def http(port):
    with plain.Client(base_url=f"http://localhost:{port}", timeout=20) as client:
        yield client


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "elsewhere")


@pytest.fixture
def image(blobs):
    layer = pack([Member("hello", size=5, open=lambda: io.BytesIO(b"hello"))], blobs)
    return Image(ImageConfig(env=("A=1",), cmd=("/hello",)), (layer,))


def sha(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def push_blob(http, data, name=NAME):
    answer = http.post(f"/v2/{name}/blobs/uploads/", params={"digest": sha(data)}, content=data)
    assert answer.status_code == 201, answer.text
    return {"digest": sha(data), "size": len(data)}


def manifest(http, data=b"layer", name=NAME, **more):
    """The bytes of a manifest whose blobs are there."""
    return json.dumps({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, **push_blob(http, b"{}", name)},
        "layers": [{"mediaType": LAYER, **push_blob(http, data, name)}],
        **more,
    }).encode()  # fmt: skip


def push(http, reference, data, name=NAME, kind=MANIFEST):
    headers = {"content-type": kind}
    answer = http.put(f"/v2/{name}/manifests/{reference}", content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


def error(answer):
    (only,) = answer.json()["errors"]
    return answer.status_code, only["code"], only["message"]
