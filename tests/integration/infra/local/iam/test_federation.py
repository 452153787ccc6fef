"""Workload Identity Federation by Google's own client."""

import pytest

from infra.local.control.names import project_number
from tests.integration.infra.local.documented import build, refused

PARENT = "projects/shipway-test/locations/global"
NUMBERED = f"projects/{project_number('shipway-test')}/locations/global"
POOL = f"{PARENT}/workloadIdentityPools/github"
PROVIDER = f"{POOL}/providers/actions"
ACTIONS = {
    "displayName": "Actions",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
    "attributeMapping": {
        "google.subject": "assertion.sub",
        "attribute.repository": "assertion.repository",
    },
    "attributeCondition": "assertion.repository == 'a/b'",
}


@pytest.fixture
def pools(cloud):
    with build(cloud.url, "iam", "v1") as client:
        yield client.projects().locations().workloadIdentityPools()


@pytest.fixture
def providers(pools):
    pools.create(parent=PARENT, workloadIdentityPoolId="github", body={"displayName": "GitHub"}).execute()
    return pools.providers()


def create(providers, body=None, name="actions"):
    return providers.create(parent=POOL, workloadIdentityPoolProviderId=name, body=body or ACTIONS)


def test_a_pool_is_named_by_its_projects_number(pools):
    call = pools.create(parent=PARENT, workloadIdentityPoolId="github", body={"displayName": "GitHub"})
    operation = call.execute()
    assert operation["done"]
    assert pools.operations().get(name=operation["name"]).execute() == operation
    pool = pools.get(name=POOL).execute()
    assert pool == {
        "name": f"{NUMBERED}/workloadIdentityPools/github",
        "displayName": "GitHub",
        "state": "ACTIVE",
    }
    assert refused(call)["status"] == "ALREADY_EXISTS"
    assert pools.list(parent=PARENT).execute() == {"workloadIdentityPools": [pool]}


def test_a_deleted_pool_keeps_its_id_and_can_be_had_back(pools, providers):
    pools.delete(name=POOL).execute()
    gone = pools.get(name=POOL).execute()
    assert gone["state"] == "DELETED"
    assert gone["expireTime"]
    assert pools.list(parent=PARENT).execute() == {"workloadIdentityPools": []}
    assert len(pools.list(parent=PARENT, showDeleted=True).execute()["workloadIdentityPools"]) == 1
    again = pools.create(parent=PARENT, workloadIdentityPoolId="github", body={})
    assert refused(again)["status"] == "ALREADY_EXISTS"
    assert refused(create(providers))["status"] == "FAILED_PRECONDITION"
    assert pools.undelete(name=POOL, body={}).execute()["response"]["state"] == "ACTIVE"
    assert refused(pools.undelete(name=POOL, body={}))["status"] == "FAILED_PRECONDITION"


def test_a_provider_is_created_changed_and_deleted(providers):
    made = create(providers).execute()["response"]
    assert made["name"] == f"{NUMBERED}/workloadIdentityPools/github/providers/actions"
    assert made["attributeMapping"] == ACTIONS["attributeMapping"]
    body = {"attributeCondition": "assertion.repository_owner == 'a'", "displayName": "Else"}
    providers.patch(name=PROVIDER, updateMask="attributeCondition", body=body).execute()
    found = providers.get(name=PROVIDER).execute()
    assert (found["attributeCondition"], found["displayName"]) == (body["attributeCondition"], "Actions")
    operation = providers.delete(name=PROVIDER).execute()
    assert providers.operations().get(name=operation["name"]).execute()["done"]
    assert providers.get(name=PROVIDER).execute()["state"] == "DELETED"
    assert refused(providers.patch(name=PROVIDER, updateMask="disabled", body={}))["code"] == 404


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"attributeCondition": ""}, "must reference one of the provider's claims"),
        ({"attributeMapping": {}}, "google.subject"),
        ({"oidc": {"issuerUri": "http://a"}}, "https://"),
        ({"aws": {"accountId": "1"}}, "Exactly one"),
        ({"displayName": "x" * 33}, "more than 32"),
        ({"nope": 1}, "Unknown name \"nope\" at 'workload_identity_pool_provider'"),
    ],
)
def test_a_provider_that_cannot_be_is_refused(providers, change, text):
    error = refused(create(providers, {**ACTIONS, **change}))
    assert error["status"] == "INVALID_ARGUMENT"
    assert text in error["message"]


@pytest.mark.parametrize("name", ["abc", "gcp-pool", "Upper", "a" * 33])
def test_an_id_follows_the_rule(pools, name):
    error = refused(pools.create(parent=PARENT, workloadIdentityPoolId=name, body={}))
    assert error["status"] == "INVALID_ARGUMENT"


def test_pools_are_global(pools):
    parent = PARENT.replace("global", "europe-west1")
    error = refused(pools.create(parent=parent, workloadIdentityPoolId="github", body={}))
    assert "use global" in error["message"]
