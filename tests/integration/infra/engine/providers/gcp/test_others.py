"""IAM members side by side, secret versions, what is refused, and how errors read."""

import anyio
import pytest

from infra.engine.providers.contract import ProviderError
from infra.engine.providers.gcp import Gcp
from tests.integration.infra.engine.providers.gcp.conftest import (
    PROJECT,
    SERVICE,
    Stack,
    configuration,
    service,
    target,
)

MEMBER, API = "gcp:projects/iAMMember:IAMMember", "gcp:projects/service:Service"
SECRET, VERSION = "gcp:secretmanager/secret:Secret", "gcp:secretmanager/secretVersion:SecretVersion"
AUTO = {"replication": {"auto": {}}}


def viewer(number):
    return {"project": PROJECT, "role": "roles/run.viewer", "member": f"user:person{number}@example.com"}


def members(api):
    policy = api.post(f"/v1/projects/{PROJECT}:getIamPolicy", json={}).json()
    return {member for binding in policy.get("bindings", []) for member in binding["members"]}


async def test_members_added_side_by_side_by_two_engines_are_all_there(gcp, cloud, api):
    other = Gcp()
    await other.configure(configuration(cloud.url))
    async with anyio.create_task_group() as group:
        for number in range(8):
            stack = gcp if number % 2 else Stack(other)
            group.start_soon(stack.create, MEMBER, f"m{number}", viewer(number))
    await other.close()
    assert members(api) >= {f"user:person{number}@example.com" for number in range(8)}


async def test_a_member_taken_out_leaves_the_others(gcp, api):
    first, second = [await gcp.create(MEMBER, f"m{number}", viewer(number)) for number in (1, 2)]
    await first.delete()
    assert (await first.read()).id == ""
    assert (await second.read()).id == second.id
    assert "user:person1@example.com" not in members(api)


async def test_the_same_member_under_a_condition_is_another(gcp):
    condition = {"title": "mornings", "expression": "request.time.getHours() < 12"}
    plain = await gcp.create(MEMBER, "plain", viewer(1))
    conditional = await gcp.create(MEMBER, "conditional", {**viewer(1), "condition": condition})
    assert conditional.id == f"{plain.id}/mornings"
    await conditional.delete()
    assert (await plain.read()).id == plain.id


async def test_another_role_is_another_member(gcp):
    made = await gcp.create(MEMBER, "m", viewer(1))
    news = {**made.inputs, "role": "roles/run.invoker"}
    assert (await made.diff(news)).replaces == ("role",)


async def test_a_secrets_version_is_switched_off_and_on_and_replaced_by_another_value(gcp, api):
    secret = await gcp.create(SECRET, "s", {"secretId": "key", **AUTO})
    version = await gcp.create(VERSION, "v", {"secret": secret.id, "secretData": "one"})
    await version.update(enabled=False)
    assert api.get(f"/v1/{version.id}").json()["state"] == "DISABLED"
    await version.update(enabled=True)
    assert api.get(f"/v1/{version.id}").json()["state"] == "ENABLED"
    assert (await version.diff({**version.inputs, "secretData": "two"})).replaces == ("secretData",)


async def test_a_secret_is_deleted_before_it_is_replaced_as_its_name_is_its_own(gcp):
    secret = await gcp.create(SECRET, "s", {"secretId": "key", **AUTO})
    replication = {"userManaged": {"replicas": [{"location": "europe-west1"}]}}
    changed = await secret.diff(await gcp.check(SECRET, "s", {"secretId": "key", "replication": replication}))
    assert changed.replaces == ("replication",)
    assert changed.delete_before_replace


async def test_an_api_stays_on_unless_it_is_said_to_go_off(gcp, api):
    path = f"/v1/projects/{PROJECT}/services/run.googleapis.com"
    for goes, state in ((False, "ENABLED"), (True, "DISABLED")):
        made = await gcp.create(API, "run", {"service": "run.googleapis.com", "disableOnDestroy": goes})
        await made.delete()
        assert api.get(path).json()["state"] == state


async def test_an_api_that_is_off_is_told_in_googles_words_with_the_resource(gcp):
    made = await gcp.create(API, "run", {"service": "run.googleapis.com", "disableOnDestroy": True})
    await made.delete()
    with pytest.raises(
        ProviderError, match=rf"creating {SERVICE} projects/.*/services/loans: Error 403.*disabled"
    ):
        await gcp.create(SERVICE, "loans", service())


async def test_what_is_there_already_is_not_taken_over(gcp):
    await gcp.create(SERVICE, "loans", service())
    with pytest.raises(ProviderError, match="Error 409, ALREADY_EXISTS"):
        await gcp.create(SERVICE, "loans", service())


async def test_what_google_refuses_is_told_with_the_field(gcp):
    wrong = service(traffics=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 90}])
    with pytest.raises(ProviderError, match=r"Error 400, INVALID_ARGUMENT: .*traffic"):
        await gcp.create(SERVICE, "loans", wrong)


async def test_a_token_is_sent_where_one_is_given(cloud, api):
    provider = Gcp()
    await provider.configure(configuration(cloud.url, accessToken="anything"))
    made = await Stack(provider).create(SERVICE, "loans", service())
    await provider.close()
    assert api.get(f"/v2/{made.id}").status_code == 200


async def test_a_type_that_is_not_served_is_refused_by_its_name_and_what_to_install(gcp):
    with pytest.raises(
        ProviderError, match=r"gcp:storage/bucket:Bucket is not served .* install the Pulumi CLI"
    ):
        await gcp.create("gcp:storage/bucket:Bucket", "b", {})
    with pytest.raises(ProviderError, match="gcp:compute/getZones:getZones is not served"):
        await gcp.provider.invoke("gcp:compute/getZones:getZones", {})


async def test_a_project_tells_its_number(gcp, api):
    called = await gcp.provider.invoke("gcp:organizations/getProject:getProject", {"projectId": PROJECT})
    assert called.result["number"] == str(api.get(f"/v1/projects/{PROJECT}").json()["projectNumber"])


async def test_a_region_and_a_project_come_from_the_provider_unless_they_are_given(cloud):
    provider = Gcp()
    await provider.configure(configuration(cloud.url, region=None))
    inputs = (await provider.check(target(SERVICE, "loans"), {}, service(location="l"), b"")).inputs
    assert (await provider.create(target(SERVICE, "loans"), inputs, preview=True)).outputs[
        "project"
    ] == PROJECT
    await provider.configure(configuration(cloud.url, project=None))
    with pytest.raises(ProviderError, match="pulumi config set gcp:project VALUE"):
        await Stack(provider).create(SECRET, "s", {"secretId": "key", **AUTO})
    await provider.close()
