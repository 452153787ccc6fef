"""`pulumi up` of an environment, from nothing, again, and after something went wrong."""

import json

import pytest

UP = ("up", "--yes", "--skip-preview", "--stack")
PATH = "/v2/projects/shipway-{0}/locations/europe-west1/services/loan-decisions"


@pytest.fixture(scope="module")
def staging(pulumi, release):
    pulumi("stack", "init", "staging")
    release("staging")
    return pulumi(*UP, "staging")


def test_an_environment_is_made_from_nothing_and_tells_its_url(staging, pulumi, api):
    assert "created" in staging
    outputs = json.loads(pulumi("stack", "output", "--json", "--stack", "staging"))
    assert outputs["service_url"] == api.get(PATH.format("staging")).json()["uri"]
    assert outputs["repository"] == "europe-west1-docker.pkg.dev/shipway-staging/loan-decisions"


def test_nothing_is_left_to_do_and_nothing_is_written(staging, pulumi, api):
    policy = "/v1/projects/shipway-staging:getIamPolicy"
    before = api.get(PATH.format("staging")).json(), api.post(policy, json={}).json()
    again = pulumi(*UP, "staging")
    assert "unchanged" in again
    assert "created" not in again
    assert (api.get(PATH.format("staging")).json(), api.post(policy, json={}).json()) == before


@pytest.mark.slow
def test_a_revision_that_does_not_come_up_fails_the_update_with_the_reason_and_gets_no_traffic(
    staging, pulumi, api, release
):
    ready = api.get(PATH.format("staging")).json()["latestReadyRevision"]
    release("staging", f"europe-west1-docker.pkg.dev/shipway-staging/loan-decisions/broken@sha256:{'b' * 64}")
    failed = pulumi(*UP, "staging", fails=True)
    assert "failed to start and listen on the port" in failed
    document = api.get(PATH.format("staging")).json()
    assert document["latestReadyRevision"] == ready
    release("staging")
    pulumi(*UP, "staging")
    assert api.get(PATH.format("staging")).json()["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"


@pytest.mark.slow
def test_production_runs_what_acceptance_ran_and_is_neither_public_nor_deleted(pulumi, release, api):
    for stack in ("acceptance", "production"):
        pulumi("stack", "init", stack)
    release("acceptance")
    pulumi(*UP, "acceptance")
    pulumi(*UP, "production")
    images = [
        api.get(PATH.format(stack)).json()["template"]["containers"][0]["image"]
        for stack in ("acceptance", "production")
    ]
    assert images[0] == images[1]
    refused = pulumi("destroy", "--yes", "--skip-preview", "--stack", "production", fails=True)
    assert "protect" in refused
    pulumi("config", "set", "--path", "protection.public", "true", "--stack", "production")
    public = pulumi(*UP, "production", fails=True)
    assert "policy no-public-invoker-in-production: loan-decisions-invoker" in public
    assert "Traceback" not in public
