"""Who may call what: by tokens of service accounts, as their roles say, over HTTP."""

import pytest

from tests.integration.infra.local import plain
from tests.integration.infra.local.documented import build
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

PROJECT = "projects/shipway-test"
EMAIL = "runner@shipway-test.iam.gserviceaccount.com"
PARENT = f"/v2/{PROJECT}/locations/europe-west1/services"
SECRETS = f"/v1/{PROJECT}/secrets"


@pytest.fixture
def token(cloud):
    with build(cloud.url, "iam", "v1") as iam, build(cloud.url, "iamcredentials", "v1") as credentials:
        accounts = iam.projects().serviceAccounts()
        accounts.create(name=PROJECT, body={"accountId": "runner"}).execute()
        name = f"projects/-/serviceAccounts/{EMAIL}"
        body = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
        made = credentials.projects().serviceAccounts().generateAccessToken(name=name, body=body)
        return made.execute()["accessToken"]


@pytest.fixture
def as_account(cloud, token):
    with plain.Client(base_url=cloud.url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def grant(cloud, role, url=f"/v1/{PROJECT}"):
    members = [f"serviceAccount:{EMAIL}"]
    policy = {"bindings": [{"role": role, "members": members}]}
    answer = plain.post(f"{cloud.url}{url}:setIamPolicy", json={"policy": policy})
    assert answer.status_code == 200, answer.text


def test_an_account_without_a_role_may_do_nothing(as_account):
    answer = as_account.get(PARENT)
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["status"] == "PERMISSION_DENIED"
    assert error["message"].startswith("Permission 'run.services.list' denied on resource")


def test_a_role_on_the_project_lets_an_account_do_what_it_says(cloud, as_account):
    grant(cloud, "roles/run.viewer")
    assert as_account.get(PARENT).status_code == 200
    body = {"template": {"containers": [{"image": "localhost/app"}]}}
    assert as_account.post(f"{PARENT}?serviceId=a", json=body).status_code == 403
    assert as_account.get(PARENT.replace("shipway-test", "other-project")).status_code == 403


def test_an_account_is_told_which_permissions_it_has(cloud, as_account):
    grant(cloud, "roles/run.viewer")
    body = {"permissions": ["run.services.get", "run.services.create"]}
    url = f"/v1/{PROJECT}:testIamPermissions"
    assert as_account.post(url, json=body).json() == {"permissions": ["run.services.get"]}
    assert plain.post(f"{cloud.url}{url}", json=body).json() == body


def test_a_role_on_one_resource_is_for_it_alone(cloud, as_account):
    for name in ("one", "two"):
        made = plain.post(f"{cloud.url}{SECRETS}?secretId={name}", json={"replication": {"automatic": {}}})
        assert made.status_code == 200
        added = plain.post(f"{cloud.url}{SECRETS}/{name}:addVersion", json={"payload": {"data": "YQ=="}})
        assert added.status_code == 200
    grant(cloud, "roles/secretmanager.secretAccessor", f"{SECRETS}/one")
    assert as_account.get(f"{SECRETS}/one/versions/latest:access").json()["payload"]["data"] == "YQ=="
    assert as_account.get(f"{SECRETS}/two/versions/latest:access").status_code == 403
    assert as_account.get(f"{SECRETS}/one").status_code == 403


def test_what_only_the_message_names_is_asked_for_too(cloud, as_account):
    def listed(project):
        return as_account.post("/v2/entries:list", json={"resourceNames": [f"projects/{project}"]})

    def written(project):
        entry = {"logName": f"projects/{project}/logs/a", "textPayload": "x"}
        body = {"resource": {"type": "global"}, "entries": [entry]}
        return as_account.post("/v2/entries:write", json=body)

    assert listed("shipway-test").status_code == 403
    grant(cloud, "roles/logging.admin")
    assert listed("shipway-test").status_code == 200
    assert written("shipway-test").status_code == 200
    for answer in (listed("other-project"), written("other-project")):
        assert answer.status_code == 403
        assert "projects/other-project" in answer.json()["error"]["message"]


def test_a_disabled_account_is_let_in_no_more(cloud, as_account):
    grant(cloud, "roles/run.viewer")
    account = f"{cloud.url}/v1/{PROJECT}/serviceAccounts/{EMAIL}"
    assert plain.post(f"{account}:disable").status_code == 200
    assert as_account.get(PARENT).status_code == 401
    assert plain.post(f"{account}:enable").status_code == 200
    assert as_account.get(PARENT).status_code == 200


def test_a_forged_token_is_refused_and_a_foreign_one_is_the_owners(cloud, token):
    forged = {"Authorization": f"Bearer {token[:-4]}xxxx"}
    answer = plain.get(f"{cloud.url}{PARENT}", headers=forged)
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    foreign = {"Authorization": "Bearer ya29.a0AfB_byC"}
    assert plain.get(f"{cloud.url}{PARENT}", headers=foreign).status_code == 200


def test_a_quota_is_kept_and_says_when_to_come_back(tmp_path):
    with serving(tmp_path, MemoryFleet(), MemoryFront(), quota_per_minute=3) as served:
        answers = [plain.get(f"{served.url}{PARENT}") for _ in range(4)]
        other = plain.get(f"{served.url}{PARENT.replace('shipway-test', 'other-project')}")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert other.status_code == 200
    error = answers[-1].json()["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert {each["@type"].rpartition(".")[2] for each in error["details"]} == {
        "ErrorInfo",
        "QuotaFailure",
        "RetryInfo",
    }


def test_a_strict_cloud_wants_apis_enabled(tmp_path):
    with serving(tmp_path, MemoryFleet(), MemoryFront(), strict=True) as served:
        before = plain.get(f"{served.url}{PARENT}")
        enabled = plain.post(f"{served.url}/v1/{PROJECT}/services/run.googleapis.com:enable")
        after = plain.get(f"{served.url}{PARENT}")
    assert (before.status_code, enabled.status_code, after.status_code) == (403, 200, 200)
    assert before.json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"
