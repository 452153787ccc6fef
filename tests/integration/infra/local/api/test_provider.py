"""Requests as Pulumi's and Terraform's Google providers make them, one resource after the other."""

import pytest

from infra.local.control.names import project_number
from tests.integration.infra.local import plain

PROJECT = "/v1/projects/shipway-test"
NUMBER = project_number("shipway-test")
GLOBAL = f"{PROJECT}/locations/global/workloadIdentityPools"
TAIL = "alt=json&prettyPrint=false"


@pytest.fixture
def call(cloud):
    with plain.Client(base_url=cloud.url, headers={"User-Agent": "Terraform/1.9 Pulumi/3"}) as client:

        def ask(verb, path, body=None):
            answer = client.request(verb, f"{path}{'&' if '?' in path else '?'}{TAIL}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield ask


def test_a_project_service(call):
    assert call("GET", PROJECT)["projectNumber"] == NUMBER
    body = {"serviceIds": ["run.googleapis.com", "iam.googleapis.com"]}
    operation = call("POST", f"{PROJECT}/services:batchEnable", body)
    assert call("GET", f"/v1/{operation['name']}")["done"]
    listed = call("GET", f"{PROJECT}/services?fields=services%2Fname%2CnextPageToken&filter=state%3AENABLED")
    assert listed == {
        "services": [
            {"name": f"projects/{NUMBER}/services/iam.googleapis.com"},
            {"name": f"projects/{NUMBER}/services/run.googleapis.com"},
        ]
    }
    body = {"disableDependentServices": True, "checkIfServiceHasUsage": "SKIP"}
    assert call("POST", f"{PROJECT}/services/run.googleapis.com:disable", body)["done"]


def test_a_service_account_and_a_member_of_the_projects_policy(call):
    body = {"accountId": "runner", "serviceAccount": {"displayName": "Runner", "description": "Runs"}}
    account = call("POST", f"{PROJECT}/serviceAccounts", body)
    body = {"serviceAccount": {"displayName": "Else"}, "updateMask": "description,displayName"}
    changed = call("PATCH", f"/v1/{account['name']}", body)
    assert (changed["displayName"], changed.get("description")) == ("Else", None)
    policy = call("POST", f"{PROJECT}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}})
    member = f"serviceAccount:{account['email']}"
    condition = {"title": "soon", "expression": 'request.time < timestamp("2027-01-01T00:00:00Z")'}
    binding = {"role": "roles/run.invoker", "members": [member], "condition": condition}
    body = {
        "policy": {
            "bindings": [*policy["bindings"], {"role": "roles/run.viewer", "members": [member]}, binding],
            "etag": policy["etag"],
            "version": 3,
        },
        "updateMask": "bindings,etag,auditConfigs",
    }
    written = call("POST", f"{PROJECT}:setIamPolicy", body)
    assert binding in written["bindings"]
    assert written["version"] == 3


def test_a_pool_and_its_provider(call):
    operation = call("POST", f"{GLOBAL}?workloadIdentityPoolId=github", {"displayName": "GitHub"})
    assert call("GET", f"/v1/{operation['name']}")["response"]["state"] == "ACTIVE"
    body = {
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": "assertion.repository_owner == 'a'",
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com", "allowedAudiences": []},
    }
    path = f"{GLOBAL}/github/providers"
    operation = call("POST", f"{path}?workloadIdentityPoolProviderId=actions", body)
    assert call("GET", f"/v1/{operation['name']}")["done"]
    mask = "displayName%2CattributeMapping%2Coidc.allowedAudiences%2Coidc.issuerUri"
    call("PATCH", f"{path}/actions?updateMask={mask}", {**body, "displayName": "Actions"})
    found = call("GET", f"{path}/actions")
    assert (found["displayName"], found["oidc"]["issuerUri"]) == ("Actions", body["oidc"]["issuerUri"])
    principals = f"principalSet://iam.googleapis.com/projects/{NUMBER}/x/attribute.repository/a/b"
    account = call("POST", f"{PROJECT}/serviceAccounts", {"accountId": "deployer"})
    policy = {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [principals]}]}
    call("POST", f"/v1/{account['name']}:setIamPolicy", {"policy": policy})
    call("DELETE", f"{path}/actions")
    assert call("GET", f"{path}/actions")["state"] == "DELETED"


def test_a_secret_its_version_and_its_member(call):
    secrets = f"{PROJECT}/secrets"
    body = {"labels": {"a": "b"}, "annotations": {}, "replication": {"automatic": {}}}
    name = call("POST", f"{secrets}?secretId=token", body)["name"]
    assert name == f"projects/{NUMBER}/secrets/token"
    version = call("POST", f"{secrets}/token:addVersion", {"payload": {"data": "aHVudGVyMg=="}})
    assert call("POST", f"/v1/{version['name']}:enable")["state"] == "ENABLED"
    assert call("GET", f"/v1/{version['name']}:access")["payload"]["data"] == "aHVudGVyMg=="
    assert call("PATCH", f"{secrets}/token?updateMask=labels", {"labels": {"c": "d"}})["labels"] == {"c": "d"}
    policy = call("GET", f"{secrets}/token:getIamPolicy?options.requestedPolicyVersion=3")
    members = ["serviceAccount:runner@shipway-test.iam.gserviceaccount.com"]
    binding = {"role": "roles/secretmanager.secretAccessor", "members": members}
    body = {"policy": {"bindings": [binding], "etag": policy["etag"], "version": 3}}
    assert call("POST", f"{secrets}/token:setIamPolicy", body)["bindings"] == [binding]
    assert call("POST", f"/v1/{version['name']}:destroy", {})["state"] == "DESTROYED"
    assert call("DELETE", f"{secrets}/token") == {}


def test_a_budget(call):
    budgets = "/v1/billingAccounts/012345-6789AB-CDEF01/budgets"
    body = {
        "displayName": "staging",
        "budgetFilter": {"projects": [f"projects/{NUMBER}"], "creditTypesTreatment": "INCLUDE_ALL_CREDITS"},
        "amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "50"}},
        "thresholdRules": [{"thresholdPercent": 0.9, "spendBasis": "CURRENT_SPEND"}],
    }
    made = call("POST", budgets, body)
    mask = "displayName%2CbudgetFilter.projects%2Camount.specifiedAmount%2CnotificationsRule.pubsubTopic"
    changed = call("PATCH", f"/v1/{made['name']}?updateMask={mask}", {**body, "displayName": "else"})
    assert {**changed, "etag": ""} == {**made, "displayName": "else", "etag": ""}
