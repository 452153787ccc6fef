"""A service's life: new revisions, probes that fail, hands that change it, labels, protection."""

import pytest

from infra.engine.providers.contract import InitError, ProviderError
from tests.integration.infra.engine.providers.gcp.conftest import SERVICE, service, target

PATH = "/v2/projects/shipway-staging/locations/europe-west1/services/loans"


def template(image="host/app", **more):
    return {**service(image)["template"], **more}


def by_hand(api, **changes):
    operation = api.patch(PATH, json={**api.get(PATH).json(), **changes}).json()
    api.post(f"/v2/{operation['name']}:wait", json={}).raise_for_status()


async def test_another_image_is_an_update_in_place_and_another_name_a_replacement(gcp):
    made = await gcp.create(SERVICE, "loans", service())
    changed = await made.diff(await gcp.check(SERVICE, "loans", service("host/other")))
    assert list(changed.detailed) == ["template.containers[0].image"]
    assert changed.replaces == ()
    renamed = await made.diff(await gcp.check(SERVICE, "loans", service(name="others")))
    assert renamed.replaces == ("name",)


async def test_an_update_makes_a_revision_that_gets_the_traffic(gcp):
    made = await gcp.create(SERVICE, "loans", service())
    first = made.outputs["latestReadyRevision"]
    await made.update(template=template("host/other"))
    assert made.outputs["latestReadyRevision"] != first
    assert made.outputs["trafficStatuses"][0]["percent"] == 100
    assert not (await made.diff()).changes


async def test_what_google_does_not_know_is_changed_without_a_new_revision(gcp):
    made = await gcp.create(SERVICE, "loans", service())
    generation = made.outputs["generation"]
    await made.update(deletionProtection=True)
    assert made.outputs["deletionProtection"] is True
    assert made.outputs["generation"] == generation


async def test_a_service_that_does_not_come_up_is_kept_with_googles_reason_and_mended_by_an_update(gcp):
    with pytest.raises(InitError, match="failed to start and listen on the port") as caught:
        await gcp.create(SERVICE, "loans", service("host/broken"))
    assert caught.value.id == "projects/shipway-staging/locations/europe-west1/services/loans"
    assert SERVICE in str(caught.value)
    outputs = await gcp.provider.update(
        target(SERVICE, "loans"),
        caught.value.id,
        service("host/broken"),
        caught.value.outputs,
        await gcp.check(SERVICE, "loans", service()),
        (),
        preview=False,
    )
    assert outputs["terminalConditions"][0]["state"] == "CONDITION_SUCCEEDED"


async def test_a_revision_that_does_not_come_up_leaves_the_traffic_where_it_was(gcp, cloud):
    made = await gcp.create(SERVICE, "loans", service())
    ready = made.outputs["latestReadyRevision"]
    routed = dict(cloud.front.routes)
    with pytest.raises(InitError, match="failed to start") as caught:
        await made.update(template=template("host/broken"))
    assert caught.value.outputs["latestReadyRevision"] == ready
    assert cloud.front.routes == routed


async def test_an_update_that_failed_is_sent_again_though_nothing_differs(gcp):
    made = await gcp.create(SERVICE, "loans", service())
    with pytest.raises(InitError) as caught:
        await made.update(template=template("host/broken"))
    made.outputs = caught.value.outputs
    with pytest.raises(InitError, match="failed to start"):
        await made.update(template=template("host/broken"))


async def test_after_a_crash_it_is_waited_until_the_cloud_has_done_with_it(gcp, api):
    inputs = await gcp.check(SERVICE, "loans", service("host/broken"))
    with pytest.raises(InitError):
        await gcp.provider.create(target(SERVICE, "loans"), inputs, preview=False)
    with pytest.raises(InitError, match="failed to start") as caught:
        await gcp.provider.recover(target(SERVICE, "loans"), inputs)
    with pytest.raises(InitError, match="failed to start"):
        await gcp.provider.read(target(SERVICE, "loans"), caught.value.id, inputs, caught.value.outputs)


async def test_what_was_changed_by_hand_is_seen_and_put_right(gcp, api):
    made = await gcp.create(SERVICE, "loans", service(description="ours"))
    by_hand(api, description="theirs")
    found = await made.read()
    assert found.inputs["description"] == "theirs"
    made.outputs = found.outputs
    assert list((await made.diff()).detailed) == ["description"]
    await made.update()
    assert api.get(PATH).json()["description"] == "ours"


async def test_what_was_deleted_by_hand_is_gone(gcp, api):
    made = await gcp.create(SERVICE, "loans", service())
    api.post(f"/v2/{api.delete(PATH).json()['name']}:wait", json={}).raise_for_status()
    assert (await made.read()).id == ""


async def test_labels_that_others_put_there_stay_and_the_attribution_is_given_at_creation(gcp, api):
    made = await gcp.create(SERVICE, "loans", service(labels={"a": "1"}))
    assert made.outputs["pulumiLabels"] == {"a": "1", "goog-pulumi-provisioned": "true"}
    by_hand(api, labels={**made.outputs["effectiveLabels"], "theirs": "x"})
    made.outputs = (await made.read()).outputs
    assert not (await made.diff()).changes
    news = await gcp.check(SERVICE, "loans", service(labels={"a": "2"}))
    assert set((await made.diff(news)).detailed) == {"labels.a", "pulumiLabels", "effectiveLabels"}
    await made.update(labels={"a": "2"})
    assert api.get(PATH).json()["labels"] == {"a": "2", "goog-pulumi-provisioned": "true", "theirs": "x"}


async def test_a_split_is_sent_and_read_back(gcp):
    made = await gcp.create(SERVICE, "loans", service())
    old = made.outputs["latestReadyRevision"].rpartition("/")[2]
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10}
    pinned = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": old, "percent": 90}
    await made.update(template=template("host/new"), traffics=[latest, pinned])
    assert {(each["revision"] == old, each["percent"]) for each in made.outputs["trafficStatuses"]} == {
        (True, 90),
        (False, 10),
    }
    assert not (await made.diff()).changes


async def test_what_is_protected_is_not_deleted(gcp):
    made = await gcp.create(SERVICE, "loans", service(deletionProtection=True))
    with pytest.raises(ProviderError, match="services/loans: it has deletionProtection"):
        await made.delete()
    await made.update(deletionProtection=False, deletionPolicy="PREVENT")
    with pytest.raises(ProviderError, match="its deletionPolicy is PREVENT"):
        await made.delete()
    await made.update(deletionPolicy="ABANDON")
    await made.delete()
    assert (await made.read()).id == made.id
