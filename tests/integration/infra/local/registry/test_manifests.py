"""Manifests, tags, referrers and the catalog over the distribution protocol."""

import json
from dataclasses import replace

import pytest

from tests.integration.infra.local.registry.conftest import (
    INDEX,
    MANIFEST,
    NAME,
    error,
    manifest,
    push,
    push_blob,
    sha,
)

MANIFESTS = f"/v2/{NAME}/manifests"


def test_a_manifest_is_pulled_by_tag_and_digest_as_it_was_pushed(http):
    data = manifest(http)
    answer = push(http, "v1", data)
    assert answer.headers["location"] == f"{MANIFESTS}/{sha(data)}"
    for reference in ("v1", sha(data)):
        pulled = http.get(f"{MANIFESTS}/{reference}")
        assert pulled.content == data
        assert pulled.headers["content-type"] == MANIFEST
        assert pulled.headers["docker-content-digest"] == sha(data)
        head = http.head(f"{MANIFESTS}/{reference}")
        assert (head.content, head.headers["content-length"]) == (b"", str(len(data)))


def test_a_tag_moves(http):
    first, second = manifest(http, b"1"), manifest(http, b"2")
    push(http, "v1", first)
    push(http, "v1", second)
    assert http.get(f"{MANIFESTS}/v1").content == second
    assert http.get(f"{MANIFESTS}/{sha(first)}").content == first


def test_an_immutable_tag_does_not_move(http, repositories):
    repositories.repositories = [replace(each, immutable_tags=True) for each in repositories.repositories]
    first, second = manifest(http, b"1"), manifest(http, b"2")
    push(http, "v1", first)
    push(http, "v1", first)
    answer = http.put(f"{MANIFESTS}/v1", content=second, headers={"content-type": MANIFEST})
    assert error(answer) == (
        400, "MANIFEST_INVALID", "cannot update tag v1. The repository has enabled tag immutability",
    )  # fmt: skip
    assert http.get(f"{MANIFESTS}/v1").content == first


def test_an_index_needs_its_manifests(http):
    data = manifest(http)
    entry = {"mediaType": MANIFEST, "digest": sha(data), "size": len(data)}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    answer = http.put(f"{MANIFESTS}/all", content=index, headers={"content-type": INDEX})
    assert error(answer)[:2] == (404, "MANIFEST_BLOB_UNKNOWN")
    push(http, sha(data), data)
    push(http, "all", index, kind=INDEX)
    assert http.get(f"{MANIFESTS}/all").headers["content-type"] == INDEX
    answer = http.delete(f"{MANIFESTS}/{sha(data)}")
    assert error(answer)[:2] == (400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE")


def test_a_manifest_needs_its_blobs(http):
    data = manifest(http, name="shipway-test/other/source")
    answer = http.put(f"{MANIFESTS}/v1", content=data, headers={"content-type": MANIFEST})
    assert error(answer)[:2] == (404, "MANIFEST_BLOB_UNKNOWN")
    assert http.get(f"{MANIFESTS}/v1").status_code == 404


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"schemaVersion":1}', b'{"schemaVersion":2,"layers":[]}', b"[" * 9000,
             b'{"schemaVersion":2,"config":{"digest":"x","size":1},"layers":[]}',
             b'{"schemaVersion":2,"manifests":[{"digest":"sha256:' + b"0" * 64 + b'","size":-1}]}',
             b'{"schemaVersion":2,"mediaType":"text/plain","manifests":[]}', b"\xff"]
)  # fmt: skip
def test_what_is_no_manifest_is_refused(http, data):
    answer = http.put(f"{MANIFESTS}/v1", content=data)
    assert error(answer)[1] in {"MANIFEST_INVALID", "DIGEST_INVALID"}
    assert answer.status_code == 400


def test_a_manifest_is_at_most_4_mib(http):
    answer = http.put(f"{MANIFESTS}/v1", content=b" " * ((4 << 20) + 1))
    assert error(answer)[:2] == (413, "SIZE_INVALID")


def test_a_digest_that_is_not_the_manifests_is_refused(http):
    answer = http.put(f"{MANIFESTS}/{sha(b'x')}", content=manifest(http), headers={"content-type": MANIFEST})
    assert error(answer)[:2] == (400, "DIGEST_INVALID")


def test_a_missing_manifest_is_unknown_in_googles_words(http):
    answer = http.get(f"{MANIFESTS}/latest")
    assert error(answer) == (404, "MANIFEST_UNKNOWN", 'Failed to fetch "latest"')


def test_tags_come_in_pages(http):
    data = manifest(http)
    for tag in ("b", "a", "d", "c", "1.0"):
        push(http, tag, data)
    path, seen = f"/v2/{NAME}/tags/list?n=2", []
    while path:
        answer = http.get(path)
        assert answer.json()["name"] == NAME
        seen.append(answer.json()["tags"])
        path = answer.links.get("next", {}).get("url")
    assert seen == [["1.0", "a"], ["b", "c"], ["d"]]
    assert http.get(f"/v2/{NAME}/tags/list?last=b").json()["tags"] == ["c", "d"]
    assert http.get(f"/v2/{NAME}/tags/list?n=0").json()["tags"] == []
    assert error(http.get(f"/v2/{NAME}/tags/list?n=x"))[:2] == (400, "PAGINATION_NUMBER_INVALID")


def test_tags_of_an_image_that_is_not_there_are_unknown(http):
    assert error(http.get("/v2/shipway-test/apps/nothing/tags/list"))[:2] == (404, "NAME_UNKNOWN")


def test_the_catalog_has_all_images(http):
    for name in ("shipway-test/other/b", "shipway-test/apps/deep/er", NAME):
        push(http, "v1", manifest(http, name=name), name)
    first = http.get("/v2/_catalog?n=2")
    assert first.json() == {"repositories": ["shipway-test/apps/deep/er", NAME]}
    rest = http.get(first.links["next"]["url"])
    assert rest.json() == {"repositories": ["shipway-test/other/b"]}


def test_referrers_are_an_index_by_artifact_type(http):
    data = manifest(http)
    push(http, "v1", data)
    subject = {"mediaType": MANIFEST, "digest": sha(data), "size": len(data)}
    kinds = ("application/vnd.example.sbom", "application/vnd.example.signature")
    for kind in kinds:
        about = manifest(http, kind.encode(), artifactType=kind, subject=subject, annotations={"a": kind})
        assert push(http, sha(about), about).headers["oci-subject"] == sha(data)
    found = http.get(f"/v2/{NAME}/referrers/{sha(data)}")
    assert found.headers["content-type"] == INDEX
    assert {each["artifactType"] for each in found.json()["manifests"]} == set(kinds)
    only = http.get(f"/v2/{NAME}/referrers/{sha(data)}", params={"artifactType": kinds[0]})
    assert only.headers["oci-filters-applied"] == "artifactType"
    (entry,) = only.json()["manifests"]
    assert entry["annotations"] == {"a": kinds[0]}
    assert http.get(f"/v2/{NAME}/referrers/{sha(b'nothing')}").json()["manifests"] == []


def test_a_version_is_deleted_after_its_tags_and_its_blobs_with_it(http, served):
    data = manifest(http, b"only here")
    push(http, "v1", data)
    answer = http.delete(f"{MANIFESTS}/{sha(data)}")
    assert error(answer) == (400, "GOOGLE_MANIFEST_DANGLING_TAG", "Manifest is still referenced by tag: v1")
    assert error(http.delete(f"/v2/{NAME}/blobs/{sha(b'only here')}"))[:2] == (403, "DENIED")
    assert http.delete(f"{MANIFESTS}/v1").status_code == 202
    assert http.delete(f"{MANIFESTS}/{sha(data)}").status_code == 202
    assert error(http.get(f"{MANIFESTS}/{sha(data)}"))[:2] == (404, "MANIFEST_UNKNOWN")
    assert not served[0].blobs.has(sha(b"only here"))


def test_the_host_says_which_location_is_meant(http, repositories):
    here = repositories.repositories[0]
    repositories.repositories.append(replace(here, name=here.name.replace("europe-west1", "us-east1")))
    push(http, "v1", manifest(http))
    for location, status in (("europe-west1", 200), ("us-east1", 404), ("asia-east1", 404)):
        answer = http.get(f"{MANIFESTS}/v1", headers={"host": f"{location}-docker.pkg.dev"})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"{MANIFESTS}/v1"), ("PUT", f"/v2/{NAME}/tags/list"), ("PUT", "/v2/_catalog"),
     ("GET", f"/v2/{NAME}/blobs/uploads/")],
)  # fmt: skip
def test_a_method_that_is_not_for_it_is_unsupported(http, method, path):
    assert error(http.request(method, path))[:2] == (405, "UNSUPPORTED")


def test_blobs_of_a_manifest_are_its_images_alone(http):
    push_blob(http, b"secret", "shipway-test/other/theirs")
    assert http.get(f"/v2/{NAME}/blobs/{sha(b'secret')}").status_code == 404
