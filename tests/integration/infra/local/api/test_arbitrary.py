"""Whatever is asked of the APIs beside Cloud Run's, the answer is one that their definitions have."""

import copy
from collections import Counter

import pytest
from google.protobuf import json_format
from google.rpc import code_pb2

from infra.local.api import methods, rpcs
from infra.local.api.definition import protobuf
from infra.local.api.schema import Schemas
from infra.local.cloud import DOCUMENTS
from tests.integration.infra.local import generated, plain
from tests.integration.infra.local.api import arbitrary
from tests.integration.infra.local.examples import for_numbers, tried
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

MINE = ("serviceusage", "cloudresourcemanager", "iam", "iamcredentials", "billingbudgets")
SECRETS = rpcs("google.cloud.secretmanager_v1")
DOCUMENTED = {200, 400, 401, 403, 404, 409, 429, 501}
PROJECT = "/v1/projects/shipway-test"
POOL = f"{PROJECT}/locations/global/workloadIdentityPools"
PREPARED = (
    (f"{PROJECT}:undelete", {}),
    (f"{PROJECT}/serviceAccounts", {"accountId": "runner"}),
    (f"{PROJECT}/services/iam.googleapis.com:enable", {}),
    (f"{POOL}?workloadIdentityPoolId=pool-a", {}),
    (f"{POOL}/pool-a:undelete", {}),
    (f"{PROJECT}/secrets?secretId=a", {"replication": {"automatic": {}}}),
    (f"{PROJECT}/secrets/a:addVersion", {"payload": {"data": "YQ=="}}),
)
UNSERVED = 30  # times that a method nobody serves is as likely as one that somebody does


def _everything_answered(node):
    """A document's schemas for answers: what only the server sets is to be there and right."""
    if isinstance(node, dict):
        node.pop("readOnly", None)
        for inner in node.values():
            _everything_answered(inner)
    return node


SCHEMAS = {}
FOUND = []
for api, version in DOCUMENTS:
    if api in MINE:
        listed = methods(api, version)
        FOUND += listed
        SCHEMAS[api, version] = listed[0].schemas.document
ANSWERS = {key: Schemas(_everything_answered(copy.deepcopy(dict(each)))) for key, each in SCHEMAS.items()}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("state"), MemoryFleet(), MemoryFront()) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def http(served):
    with plain.Client(base_url=served.url, timeout=20) as client:
        prepare(client)
        yield client


def prepare(client):
    """What requests may be about; the answer does not matter where it is there already."""
    for path, document in PREPARED:
        client.post(path, json=document)


@pytest.fixture(scope="module")
def handled(http, served):
    """The methods that are answered, and a few of the others."""
    mine = [method for method in FOUND if served.cloud._api.serves(method)]
    return mine + FOUND[::UNSERVED]


@tried(120, 2_000)
def test_every_answer_has_a_documented_shape(http, handled, examples):
    seen = Counter()

    def ask(number):
        method, path, body = arbitrary.request(handled, SCHEMAS, number)
        answer = http.request(method.verb, path, content=body)
        seen[answer.status_code] += 1
        if method.attribute in {"delete", "disable"} and answer.status_code == 200:
            prepare(http)
        what = (method.full_name, path, body, answer.text)
        document = check(answer, what)
        if answer.status_code == 200:
            api, version, *_ = method.service.split(".")
            _, violations = ANSWERS[api, version].check(method.response, document)
            assert not violations, what

    for_numbers(examples, ask)
    # It was tried on more than refusals.
    assert min(seen[200], seen[400]) > examples / 20, seen


@tried(60, 800)
def test_every_answer_of_secret_manager_has_a_documented_shape(http, examples):
    def ask(number):
        rpc, path, body = generated.request(SECRETS, number)
        answer = http.request(rpc.verb, path, content=body)
        if rpc.method == "DeleteSecret" and answer.status_code == 200:
            prepare(http)
        document = check(answer, (rpc.full_name, path, body, answer.text))
        if answer.status_code == 200 and rpc.response is not None:
            json_format.ParseDict(document, protobuf(rpc.response)())

    for_numbers(examples, ask)


def check(answer, what):
    assert answer.status_code in DOCUMENTED, what
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    document = answer.json()
    if answer.status_code != 200:
        assert set(document) == {"error"}, what
        error = document["error"]
        assert set(error) - {"details"} == {"code", "message", "status"}
        assert error["code"] == answer.status_code
        assert error["status"] in set(code_pb2.Code.DESCRIPTOR.values_by_name)
        assert error["message"]
    return document
