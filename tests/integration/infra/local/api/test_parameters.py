"""What every API takes beside its own parameters, and how it says no."""

import pytest

from tests.integration.infra.local import plain

ACCOUNTS = "/v1/projects/shipway-test/serviceAccounts"
SECRETS = "/v1/projects/shipway-test/secrets"


@pytest.fixture
def http(cloud):
    with plain.Client(base_url=cloud.url) as client:
        yield client


@pytest.fixture
def account(http):
    body = {"account_id": "runner", "service_account": {"display_name": "R", "email": "ignored@x"}}
    return http.post(ACCOUNTS, json=body).json()


def test_names_of_proto_files_are_understood_and_what_the_server_sets_is_ignored(account):
    assert account["displayName"] == "R"
    assert account["email"] == "runner@shipway-test.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    "query", ["alt=json", "key=AIza", "prettyPrint=false", "quotaUser=a", "%24alt=json", "$.xgafv=2"]
)
def test_system_parameters_are_taken_by_every_method(http, account, query):
    assert http.get(f"{ACCOUNTS}?{query}").json() == {"accounts": [account]}


def test_an_answer_is_printed_for_people_when_they_ask(http, account):
    answer = http.get(f"{ACCOUNTS}?prettyPrint=true")
    assert answer.text.startswith('{\n  "accounts": [\n')
    assert answer.json() == {"accounts": [account]}


def test_only_the_fields_that_are_asked_for_are_answered(http, account):
    answer = http.get(f"{ACCOUNTS}?fields=accounts(email,uniqueId)").json()
    assert answer == {"accounts": [{"email": account["email"], "uniqueId": account["uniqueId"]}]}
    http.post(f"{SECRETS}?secretId=a", json={"replication": {"automatic": {}}})
    assert set(http.get(f"{SECRETS}?fields=secrets/name").json()["secrets"][0]) == {"name"}


@pytest.mark.parametrize("fields", ["accounts(nope)", "accounts(", "nope"])
def test_fields_that_no_answer_has_are_refused(http, fields):
    error = http.get(ACCOUNTS, params={"fields": fields}).json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    [violation] = error["details"][0]["fieldViolations"]
    assert violation["field"] == "fields"
    assert "Cannot find matching fields for path" in violation["description"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "message"),
    [
        (
            "GET",
            f"{ACCOUNTS}?nope=1",
            None,
            "Unknown name \"nope\": Cannot bind query parameter. Field 'nope'",
        ),
        ("GET", f"{ACCOUNTS}?pageSize=much", None, "Invalid value at 'page_size' (TYPE_INT32), \"much\""),
        ("POST", ACCOUNTS, b"{", "Invalid JSON payload received. Unexpected token."),
        ("POST", ACCOUNTS, b'{"accountId": 5}', "Invalid value at 'account_id' (TYPE_STRING), 5"),
        (
            "POST",
            ACCOUNTS,
            b'{"x": 5}',
            'Invalid JSON payload received. Unknown name "x": Cannot find field.',
        ),
        (
            "POST",
            ACCOUNTS,
            b'{"serviceAccount": {"x": 5}}',
            "Invalid JSON payload received. Unknown name \"x\" at 'service_account': Cannot find field.",
        ),
    ],
)
def test_what_a_message_cannot_be_is_told_in_googles_words(http, verb, path, body, message):
    answer = http.request(verb, path, content=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert message in error["message"]
    assert error["details"][0]["fieldViolations"][0]["description"] in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        {f"name{number}": 1 for number in range(200_000)},
        {"x" * 9_000_000: 1},
        {"serviceAccount": {"displayName": "x" * 9_000_000}},
        {"serviceAccount": {"displayName": ["x"] * 1_000_000}},
        {"accountId": ["x" * 9_000_000]},
        {"labels": {"x" * 9_000_000: 1}},
    ],
    ids=["many names", "a long name", "a long text", "a long list", "a long wrong value", "a long key"],
)
def test_what_is_wrong_in_a_large_message_is_told_in_a_few_words(http, body):
    for path in (ACCOUNTS, SECRETS + "?secretId=a"):
        answer = http.post(path, json=body, timeout=30)
        assert answer.status_code == 400
        assert len(answer.content) < 100_000


def test_a_message_over_ten_megabytes_is_refused(http):
    answer = http.post(ACCOUNTS, content=b" " * (10 << 20) + b"{}", timeout=30)
    assert answer.status_code == 400
    assert "payload size exceeds the limit" in answer.json()["error"]["message"]


def test_a_path_of_no_method_is_not_found(http):
    assert http.get("/v1/nothing").status_code == 404
    assert http.put(ACCOUNTS).status_code == 404


def test_a_method_that_is_not_served_is_named(http):
    answer = http.post(f"{ACCOUNTS}/a@b:signBlob", json={})
    assert answer.status_code == 501
    assert "iam.v1.projects.serviceAccounts.signBlob" in answer.json()["error"]["message"]
