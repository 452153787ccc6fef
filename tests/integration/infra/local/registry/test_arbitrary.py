"""Whatever is asked of the registry, the answer is one that the specification has."""

from random import Random
from urllib.parse import quote

import pytest

from tests.integration.infra.local import plain
from tests.integration.infra.local.examples import for_numbers, tried
from tests.integration.infra.local.registry.conftest import (
    HOME,
    INDEX,
    MANIFEST,
    NAME,
    Listed,
    manifest,
    push,
    serving,
    sha,
)

DOCUMENTED = {200, 201, 202, 204, 206, 400, 403, 404, 405, 413, 416}
CODES = {
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DENIED", "DIGEST_INVALID",
    "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", "GOOGLE_MANIFEST_DANGLING_TAG", "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "PAGINATION_NUMBER_INVALID",
    "SIZE_INVALID", "UNSUPPORTED",
}  # fmt: skip
NAMES = (NAME, NAME, "shipway-test/apps/x", "shipway-test/nowhere/x", "one", "A/b/c", "a/../b", "a" * 300)
DIGESTS = (
    sha(b"layer"),
    sha(b"{}"),
    sha(b"none"),
    "sha256:x",
    "sha512:0",
    "v1",
    "latest",
    "\x00",
    "a b",
    "..",
)
BODIES = (b"", b"layer", b"{}", b"[]", b'{"schemaVersion":2,"manifests":[]}', b"\xff" * 3000)
HEADERS = (
    {"range": "bytes=0-1"}, {"range": "bytes=9-"}, {"range": "bytes=-0"}, {"range": "x"}, {},
    {"content-range": "0-4"}, {"content-range": "5-1"}, {"content-range": "bytes 0-1/2"},
    {"content-type": MANIFEST}, {"content-type": INDEX}, {"content-type": "text/plain"},
    {"host": "us-docker.pkg.dev"},
)  # fmt: skip
QUERIES = ("", "?n=1", "?n=-1", "?last=v", "?digest=x", f"?digest={sha(b'layer')}", "?artifactType=x",
           f"?mount={sha(b'layer')}&from={NAME}", "?mount=x&from=y", "?n=%ff")  # fmt: skip


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("registry"), Listed(HOME)) as (_, port),
        plain.Client(base_url=f"http://localhost:{port}", timeout=20) as client,
    ):
        push(client, "v1", manifest(client))
        yield client


@tried(100, 800)
def test_every_answer_is_one_of_the_specification(http, examples):
    for_numbers(examples, lambda number: check(http, number))


def check(http, number):
    random = Random(number)  # noqa: S311
    kind = random.choice(("blobs/", "manifests/", "referrers/", "tags/", "blobs/uploads/", "", "x/"))
    last = "list" if kind == "tags/" else random.choice((*DIGESTS, ""))
    name = random.choice(NAMES) if random.random() < 0.95 else "_catalog"
    path = f"/v2/{name}/{kind}{quote(last, safe=':')}{random.choice(QUERIES)}"
    verb = random.choice(("GET", "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"))
    answer = http.request(verb, path, content=random.choice(BODIES), headers=random.choice(HEADERS))
    shown = (verb, path, answer.status_code, answer.text)
    assert answer.status_code in DOCUMENTED, shown
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    if answer.status_code >= 400 and verb != "HEAD":
        assert answer.headers["content-type"] == "application/json"
        (error,) = answer.json()["errors"]
        assert error["code"] in CODES, shown
        assert error["message"]
