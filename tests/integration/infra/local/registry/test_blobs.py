"""Blobs over the distribution protocol."""

import pytest

from tests.integration.infra.local.registry.conftest import NAME, error, push_blob, sha

DATA = bytes(range(256)) * 40
BLOBS = f"/v2/{NAME}/blobs"


def chunk(http, place, data, start):
    headers = {"content-range": f"{start}-{start + len(data) - 1}"}
    return http.patch(place, content=data, headers=headers)


def test_a_client_is_told_what_it_talks_to(http):
    answer = http.get("/v2/")
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_blob_pushed_at_once_is_pulled(http):
    push_blob(http, DATA)
    answer = http.get(f"{BLOBS}/{sha(DATA)}")
    assert answer.content == DATA
    assert answer.headers["docker-content-digest"] == sha(DATA)
    head = http.head(f"{BLOBS}/{sha(DATA)}")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(DATA)), b"")


def test_a_blob_pushed_in_two_requests_is_pulled(http):
    place = http.post(f"{BLOBS}/uploads/").headers["location"]
    answer = http.put(place, params={"digest": sha(DATA)}, content=DATA)
    assert (answer.status_code, answer.headers["location"]) == (201, f"{BLOBS}/{sha(DATA)}")
    assert http.get(answer.headers["location"]).content == DATA


def test_chunks_make_a_blob(http):
    place = http.post(f"{BLOBS}/uploads/").headers["location"]
    first = chunk(http, place, DATA[:5000], 0)
    assert (first.status_code, first.headers["range"]) == (202, "0-4999")
    second = chunk(http, first.headers["location"], DATA[5000:8000], 5000)
    assert second.headers["range"] == "0-7999"
    last = http.put(
        second.headers["location"],
        params={"digest": sha(DATA)},
        content=DATA[8000:],
        headers={"content-range": f"8000-{len(DATA) - 1}"},
    )
    assert last.status_code == 201
    assert http.get(f"{BLOBS}/{sha(DATA)}").content == DATA


def test_an_upload_says_how_far_it_is_and_goes_on_from_there(http):
    place = http.post(f"{BLOBS}/uploads/").headers["location"]
    chunk(http, place, DATA[:100], 0)
    assert http.get(place).headers["range"] == "0-99"
    wrong = chunk(http, place, DATA[200:], 200)
    assert error(wrong)[:2] == (416, "BLOB_UPLOAD_INVALID")
    assert http.get(place).headers["range"] == "0-99"
    chunk(http, place, DATA[100:], 100)
    assert http.put(place, params={"digest": sha(DATA)}).status_code == 201


def test_a_cancelled_upload_is_unknown(http):
    place = http.post(f"{BLOBS}/uploads/").headers["location"]
    assert http.delete(place).status_code == 204
    assert error(http.get(place))[:2] == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_is_of_its_own_image_alone(http):
    place = http.post(f"{BLOBS}/uploads/").headers["location"]
    answer = http.get(place.replace("hello", "stranger"))
    assert error(answer)[:2] == (404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize("name", ["..", "x", "%2e%2e%2fregistry.db", "0" * 32])
def test_an_upload_that_is_none_is_unknown(http, name):
    assert http.patch(f"{BLOBS}/uploads/{name}", content=b"x").status_code in {404, 405}


def test_bytes_of_another_digest_are_refused_and_forgotten(http):
    answer = http.post(f"{BLOBS}/uploads/", params={"digest": sha(b"other")}, content=DATA)
    status, code, message = error(answer)
    assert (status, code) == (400, "DIGEST_INVALID")
    assert sha(DATA) in message
    assert http.head(f"{BLOBS}/{sha(DATA)}").status_code == 404
    assert http.head(f"{BLOBS}/{sha(b'other')}").status_code == 404


@pytest.mark.parametrize("digest", ["sha256:abc", "sha512:" + "0" * 128, "md5:x", "sha256:" + "A" * 64])
def test_a_digest_has_to_be_sha256(http, digest):
    assert error(http.get(f"{BLOBS}/{digest}"))[:2] == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=100-", 100, len(DATA) - 1), ("bytes=-5", len(DATA) - 5, len(DATA) - 1)],
)
def test_a_range_is_pulled(http, asked, first, last):
    push_blob(http, DATA)
    answer = http.get(f"{BLOBS}/{sha(DATA)}", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == DATA[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(DATA)}"


def test_a_range_past_the_end_is_refused(http):
    push_blob(http, DATA)
    answer = http.get(f"{BLOBS}/{sha(DATA)}", headers={"range": f"bytes={len(DATA)}-"})
    assert error(answer)[:2] == (416, "SIZE_INVALID")


def test_a_blob_is_mounted_from_another_repository(http):
    push_blob(http, DATA, "shipway-test/other/source")
    assert http.head(f"{BLOBS}/{sha(DATA)}").status_code == 404
    answer = http.post(f"{BLOBS}/uploads/", params={"mount": sha(DATA), "from": "shipway-test/other/source"})
    assert answer.status_code == 201
    assert http.get(f"{BLOBS}/{sha(DATA)}").content == DATA


@pytest.mark.parametrize("source", ["shipway-test/other/nothing", "nobody/x/y", "..", ""])
def test_what_cannot_be_mounted_is_to_be_pushed(http, source):
    answer = http.post(f"{BLOBS}/uploads/", params={"mount": sha(DATA), "from": source})
    assert answer.status_code == 202
    assert "/blobs/uploads/" in answer.headers["location"]


def test_a_deleted_blob_is_gone_from_disk(http, served):
    push_blob(http, DATA)
    assert http.delete(f"{BLOBS}/{sha(DATA)}").status_code == 202
    assert error(http.get(f"{BLOBS}/{sha(DATA)}"))[:2] == (404, "BLOB_UNKNOWN")
    assert not served[0].blobs.has(sha(DATA))


def test_a_blob_that_another_image_has_stays(http):
    push_blob(http, DATA)
    push_blob(http, DATA, "shipway-test/other/twin")
    http.delete(f"{BLOBS}/{sha(DATA)}")
    assert http.get(f"/v2/shipway-test/other/twin/blobs/{sha(DATA)}").content == DATA


def test_pushing_needs_a_repository(http):
    answer = http.post("/v2/shipway-test/nowhere/hello/blobs/uploads/")
    assert error(answer) == (404, "NAME_UNKNOWN", 'Repository "nowhere" not found')


@pytest.mark.parametrize("name", ["Upper/apps/x", "one", "one/two", "shipway-test/apps/" + "a" * 300])
def test_a_name_that_cannot_be_is_refused(http, name):
    assert error(http.post(f"/v2/{name}/blobs/uploads/"))[:2] == (400, "NAME_INVALID")
