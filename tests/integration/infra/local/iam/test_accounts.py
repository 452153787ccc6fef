"""Service accounts, their keys, policies and tokens, by Google's own clients."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.control.names import project_number
from tests.integration.infra.local.documented import build, detail, refused

PROJECT = "projects/shipway-test"
EMAIL = "runner@shipway-test.iam.gserviceaccount.com"
NAME = f"{PROJECT}/serviceAccounts/{EMAIL}"
DEFAULT = f"{project_number('shipway-test')}-compute@developer.gserviceaccount.com"


@pytest.fixture
def iam(cloud):
    with build(cloud.url, "iam", "v1") as client:
        yield client


@pytest.fixture
def accounts(iam):
    return iam.projects().serviceAccounts()


@pytest.fixture
def account(accounts):
    return create(accounts)


@pytest.fixture
def tokens(cloud):
    with build(cloud.url, "iamcredentials", "v1") as client:
        yield client.projects().serviceAccounts()


def create(accounts, account_id="runner", **fields):
    fields = fields or {"displayName": "Runner"}
    return accounts.create(name=PROJECT, body={"accountId": account_id, "serviceAccount": fields}).execute()


def test_an_account_has_its_address_from_id_and_project(accounts, account):
    assert (account["name"], account["email"], account["projectId"]) == (NAME, EMAIL, "shipway-test")
    assert account["displayName"] == "Runner"
    assert len(account["uniqueId"]) == 21
    assert accounts.get(name=NAME).execute() == account
    assert accounts.get(name=f"projects/-/serviceAccounts/{EMAIL}").execute() == account
    assert accounts.get(name=f"{PROJECT}/serviceAccounts/{account['uniqueId']}").execute() == account
    assert accounts.list(name=PROJECT).execute() == {"accounts": [account]}


def test_the_default_account_is_there_from_the_start(accounts):
    found = accounts.get(name=f"{PROJECT}/serviceAccounts/{DEFAULT}").execute()
    assert found["email"] == DEFAULT


def test_an_account_is_made_once(accounts, account):
    error = refused(accounts.create(name=PROJECT, body={"accountId": "runner"}))
    assert (error["code"], error["status"]) == (409, "ALREADY_EXISTS")
    assert error["message"] == "Service account runner already exists within project projects/shipway-test."


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"accountId": "short"},
        {"accountId": "Upper-Case"},
        {"accountId": "a" * 31},
        {"accountId": "fine-name", "serviceAccount": {"displayName": "x" * 101}},
    ],
)
def test_an_account_that_cannot_be_is_refused(accounts, body):
    assert refused(accounts.create(name=PROJECT, body=body))["status"] == "INVALID_ARGUMENT"


def test_an_unknown_account_is_told(accounts):
    error = refused(accounts.get(name=NAME))
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert "Unknown service account" in error["message"]


def test_only_what_the_mask_names_is_changed(accounts, account):
    body = {"updateMask": "description", "serviceAccount": {"description": "Runs", "displayName": "Else"}}
    changed = accounts.patch(name=NAME, body=body).execute()
    assert (changed["description"], changed["displayName"]) == ("Runs", "Runner")
    stale = {"updateMask": "description", "serviceAccount": {"etag": account["etag"]}}
    assert refused(accounts.patch(name=NAME, body=stale))["status"] == "ABORTED"
    assert refused(accounts.patch(name=NAME, body={"updateMask": "nope"}))["status"] == "INVALID_ARGUMENT"


def test_an_account_goes_off_on_away_and_comes_back(accounts, account, tokens):
    accounts.disable(name=NAME, body={}).execute()
    assert accounts.get(name=NAME).execute()["disabled"]
    body = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    assert refused(tokens.generateAccessToken(name=NAME, body=body))["status"] == "FAILED_PRECONDITION"
    accounts.enable(name=NAME, body={}).execute()
    assert "disabled" not in accounts.get(name=NAME).execute()
    accounts.delete(name=NAME).execute()
    assert refused(accounts.get(name=NAME))["code"] == 404
    by_id = f"{PROJECT}/serviceAccounts/{account['uniqueId']}"
    assert accounts.undelete(name=by_id, body={}).execute() == {"restoredAccount": account}


def test_nobody_gets_a_key(accounts, account):
    error = refused(accounts.keys().create(name=NAME, body={}))
    assert (error["code"], error["status"]) == (400, "FAILED_PRECONDITION")
    assert error["message"] == "Key creation is not allowed on this service account."
    [violation] = detail(error, "PreconditionFailure")["violations"]
    assert violation["type"] == "constraints/iam.disableServiceAccountKeyCreation"
    assert accounts.keys().list(name=NAME, keyTypes=["USER_MANAGED"]).execute() == {}
    [key] = accounts.keys().list(name=NAME).execute()["keys"]
    assert key["keyType"] == "SYSTEM_MANAGED"


def test_a_policy_on_an_account_goes_with_it(accounts, account):
    binding = {"role": "roles/iam.workloadIdentityUser", "members": ["user:a@example.com"]}
    accounts.setIamPolicy(resource=NAME, body={"policy": {"bindings": [binding]}}).execute()
    assert accounts.getIamPolicy(resource=NAME).execute()["bindings"] == [binding]
    accounts.delete(name=NAME).execute()
    create(accounts)
    assert "bindings" not in accounts.getIamPolicy(resource=NAME).execute()


def test_roles_have_their_permissions(iam):
    role = iam.roles().get(name="roles/secretmanager.secretAccessor").execute()
    assert role["includedPermissions"] == ["secretmanager.versions.access"]
    listed = iam.roles().list(pageSize=1000).execute()["roles"]
    assert {"roles/run.admin", "roles/run.invoker", "roles/viewer"} <= {each["name"] for each in listed}
    assert refused(iam.roles().get(name="roles/none.such"))["code"] == 404
    body = {"fullResourceName": f"//cloudresourcemanager.googleapis.com/{PROJECT}"}
    assert iam.roles().queryGrantableRoles(body=body).execute()["roles"] == listed


def test_tokens_are_issued_for_an_account(accounts, account, tokens):
    name = f"projects/-/serviceAccounts/{EMAIL}"
    body = {"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "600s"}
    answer = tokens.generateAccessToken(name=name, body=body).execute()
    assert answer["accessToken"].startswith("ya29.")
    left = datetime.fromisoformat(answer["expireTime"]) - datetime.now(UTC)
    assert timedelta(seconds=590) < left <= timedelta(seconds=600)
    identity = tokens.generateIdToken(name=name, body={"audience": "https://a"}).execute()["token"]
    assert identity.count(".") == 2
    assert refused(tokens.generateAccessToken(name=name, body={}))["code"] == 400
    long = {**body, "lifetime": "7200s"}
    assert refused(tokens.generateAccessToken(name=name, body=long))["code"] == 400
    assert refused(tokens.generateIdToken(name=name, body={}))["code"] == 400
    nobody = "projects/-/serviceAccounts/nobody@shipway-test.iam.gserviceaccount.com"
    assert refused(tokens.generateAccessToken(name=nobody, body=body))["code"] == 404
