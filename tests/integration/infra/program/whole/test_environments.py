"""Five environments in the whole local cloud: made, made again, meddled with, broken and taken away."""

import json
import resource
import sqlite3

import httpx
import pytest

pytestmark = pytest.mark.slow
SERVICE = "/v2/projects/shipway-{0}/locations/europe-west1/services/loan-decisions"
UP = ("up", "--yes", "--skip-preview", "--stack")


@pytest.fixture
def api(cloud):
    with httpx.Client(base_url=cloud.addresses["endpoint"], timeout=30, trust_env=False) as client:
        yield client


def serves(cloud, pulumi, stack):
    """What the service of an environment says of itself, asked at the URL that its stack tells."""
    url = json.loads(pulumi("stack", "output", "--json", "--stack", stack))["service_url"]
    return cloud.get(url, "/env").json()


def test_each_environment_answers_at_its_url_from_a_project_of_its_own(cloud, pulumi, delivered, api):
    said = {stack: serves(cloud, pulumi, stack)["SHIPWAY_ENVIRONMENT"] for stack in delivered}
    assert said == {stack: stack for stack in delivered}
    images = {
        stack: api.get(SERVICE.format(stack)).json()["template"]["containers"][0]["image"]
        for stack in delivered
    }
    assert len(set(images.values())) == 4
    assert images["production"] == images["acceptance"]


def documents(cloud):
    """Whatever the cloud keeps of its resources, with versions and times."""
    with sqlite3.connect(f"file:{cloud.state / 'cloud.db'}?mode=ro", uri=True) as database:
        return list(database.iterdump())


def spent():
    """Seconds of processors' time that commands have taken so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_a_second_up_changes_nothing_and_writes_nothing_to_the_cloud(cloud, pulumi, delivered):
    before = documents(cloud)
    before_it = spent()
    said = pulumi("up", "--yes", "--stack", "staging")
    # Two seconds of two processors' time, preview and all: whoever else runs on this machine is no matter.
    assert spent() - before_it < 4
    assert said.count("unchanged") == 2
    assert "created" not in said
    assert "updated" not in said
    assert documents(cloud) == before


def test_what_is_changed_by_hand_is_told_and_mended(pulumi, delivered, api):
    assert "No drift" in pulumi("drift", "--stack", "test")
    body = {"labels": {"environment": "mine"}}
    api.patch(SERVICE.format("test"), params={"updateMask": "labels"}, json=body).raise_for_status()
    assert "mine" in pulumi("drift", "--stack", "test", fails=True)
    pulumi("up", "--yes", "--skip-preview", "--refresh", "--stack", "test")
    assert api.get(SERVICE.format("test")).json()["labels"]["environment"] == "test"


def test_a_revision_that_does_not_become_ready_is_told_by_its_own_log_and_gets_no_traffic(
    cloud, pulumi, delivered
):
    serving = serves(cloud, pulumi, "development")["K_REVISION"]
    pulumi("config", "set", "--secret", "--path", "secrets.MODE", "exit", "--stack", "development")
    said = pulumi(*UP, "development", fails=True)
    assert "failed the configured startup probe checks" in said
    assert "cannot go on" in said
    assert "Traceback" not in said
    assert serves(cloud, pulumi, "development")["K_REVISION"] == serving
    pulumi("config", "rm", "--path", "secrets.MODE", "--stack", "development")
    pulumi(*UP, "development")
    assert serves(cloud, pulumi, "development")["K_REVISION"] != serving


def test_destroy_leaves_nothing(pulumi, delivered, api):
    pulumi("destroy", "--yes", "--skip-preview", "--stack", "acceptance")
    assert api.get(SERVICE.format("acceptance")).status_code == 404
    assert json.loads(pulumi("stack", "export", "--stack", "acceptance"))["deployment"].get("resources") in (
        None,
        [],
    )
    repositories = "/v1/projects/shipway-acceptance/locations/europe-west1/repositories"
    assert api.get(repositories).json().get("repositories", []) == []
