"""Whatever is asked, the answer is one that the published definition has: no 500, no other shape."""

from collections import Counter

import pytest
from google.protobuf import any_pb2, json_format
from google.rpc import code_pb2
from google.rpc import error_details_pb2 as _known_details  # noqa: F401  # for Any

from infra.local.api import rpcs
from infra.local.api.definition import protobuf
from tests.integration.infra.local import plain
from tests.integration.infra.local.examples import for_numbers, tried
from tests.integration.infra.local.generated import request
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

RUN = rpcs("google.cloud.run_v2")
PARENT = "/v2/projects/shipway-test/locations/europe-west1"
SERVICE = {"template": {"containers": [{"image": "localhost/app"}]}}
JOB = {"template": {"template": {"containers": [{"image": "localhost/app"}]}}}
DOCUMENTED = {200, 400, 401, 403, 404, 409, 429, 501}


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    state = tmp_path_factory.mktemp("state")
    with (
        serving(state, MemoryFleet(), MemoryFront()) as served,
        plain.Client(base_url=served.url, timeout=20) as client,
    ):
        for collection, document in (("services", SERVICE), ("jobs", JOB)):
            answer = client.post(f"{PARENT}/{collection}?{collection[:-1]}Id=a", json=document)
            assert answer.status_code == 200, answer.text
        yield client


@tried(150, 2_400)
def test_every_answer_has_a_documented_shape(http, examples):
    seen = Counter()
    for_numbers(examples, lambda number: seen.update([check(http, *request(RUN, number))]))
    # It was tried on more than refusals.
    assert min(seen[200], seen[400]) > examples / 50, seen


def check(http, rpc, path, body):
    """Ask, and look at the answer; its status."""
    answer = http.request(rpc.verb, path, content=body)
    assert answer.status_code in DOCUMENTED, (rpc.full_name, path, body, answer.text)
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    document = answer.json()
    if answer.status_code == 200:
        if rpc.response is None:
            assert document == {}
        else:
            json_format.ParseDict(document, protobuf(rpc.response)())
        return answer.status_code
    assert set(document) == {"error"}
    error = document["error"]
    assert set(error) - {"details"} == {"code", "message", "status"}
    assert error["code"] == answer.status_code
    assert error["status"] in set(code_pb2.Code.DESCRIPTOR.values_by_name)
    assert error["message"]
    for detail in error.get("details", ()):
        json_format.ParseDict(detail, any_pb2.Any())
    if answer.status_code == 501:
        assert rpc.full_name in error["message"]
    return answer.status_code
