"""Service Usage by Google's own client."""

import pytest

from infra.local.control.names import project_number
from tests.integration.infra.local.documented import build, detail, refused

PROJECT = "shipway-test"
NUMBER = project_number(PROJECT)
RUN = f"projects/{PROJECT}/services/run.googleapis.com"


@pytest.fixture
def usage(cloud):
    with build(cloud.url, "serviceusage", "v1") as client:
        yield client


@pytest.fixture
def services(usage):
    return usage.services()


def state(services, name=RUN):
    return services.get(name=name).execute()["state"]


def test_a_service_is_disabled_until_it_is_enabled(usage, services):
    assert state(services) == "DISABLED"
    operation = services.enable(name=RUN, body={}).execute()
    assert operation["done"]
    assert operation["response"]["service"]["state"] == "ENABLED"
    assert usage.operations().get(name=operation["name"]).execute() == operation
    service = services.get(name=RUN).execute()
    assert service["name"] == f"projects/{NUMBER}/services/run.googleapis.com"
    assert service["parent"] == f"projects/{NUMBER}"
    assert service["config"]["title"] == "Cloud Run Admin API"
    assert state(services, RUN.replace(PROJECT, NUMBER)) == "ENABLED"
    assert state(services, RUN.replace(PROJECT, "other-project")) == "DISABLED"


def test_several_services_are_enabled_at_once_or_none(services):
    ids = ["run.googleapis.com", "iam.googleapis.com"]
    parent = f"projects/{PROJECT}"
    error = refused(services.batchEnable(parent=parent, body={"serviceIds": [*ids, "nonsense"]}))
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert "Not found or permission denied for service(s): nonsense" in error["message"]
    assert state(services) == "DISABLED"
    done = services.batchEnable(parent=parent, body={"serviceIds": ids}).execute()
    assert [each["state"] for each in done["response"]["services"]] == ["ENABLED", "ENABLED"]
    names = [f"{parent}/services/{each}" for each in ids]
    found = services.batchGet(parent=parent, names=names).execute()["services"]
    assert [each["config"]["name"] for each in found] == ids


def test_enabled_services_are_listed_by_page_with_the_fields_that_are_asked_for(services):
    parent = f"projects/{PROJECT}"
    for name in ("run", "iam", "logging"):
        services.enable(name=f"{parent}/services/{name}.googleapis.com", body={}).execute()
    call = services.list(
        parent=parent, filter="state:ENABLED", pageSize=2, fields="services/name,nextPageToken"
    )
    names = []
    while call is not None:
        answer = call.execute()
        assert all(set(each) == {"name"} for each in answer["services"])
        names += [each["name"].rpartition("/")[2] for each in answer["services"]]
        call = services.list_next(call, answer)
    assert names == ["iam.googleapis.com", "logging.googleapis.com", "run.googleapis.com"]
    assert len(services.list(parent=parent).execute()["services"]) > 3


def test_a_disabled_api_is_refused_in_its_project_alone(cloud, services):
    services.enable(name=RUN, body={}).execute()
    services.disable(name=RUN, body={}).execute()
    with build(cloud.url, "run", "v2") as run:
        listed = run.projects().locations().services()
        error = refused(listed.list(parent=f"projects/{PROJECT}/locations/europe-west1"))
        listed.list(parent="projects/other-project/locations/europe-west1").execute()
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert error["message"].startswith(
        f"Cloud Run Admin API has not been used in project {NUMBER} before or it is disabled. "
        "Enable it by visiting https://console.developers.google.com/apis/api/run.googleapis.com/overview"
    )
    info = detail(error, "ErrorInfo")
    assert (info["reason"], info["domain"]) == ("SERVICE_DISABLED", "googleapis.com")
    assert info["metadata"]["service"] == "run.googleapis.com"
    assert info["metadata"]["consumer"] == f"projects/{NUMBER}"
    assert detail(error, "Help")["links"]


def test_what_is_wrong_in_a_request_is_told(services):
    assert refused(services.get(name="projects/X/services/run.googleapis.com"))["code"] == 403
    assert refused(services.get(name="projects/shipway-test/services/a.example.com"))["code"] == 403
    error = refused(services.list(parent=f"projects/{PROJECT}", filter="nonsense"))
    assert detail(error, "BadRequest")["fieldViolations"][0]["field"] == "filter"
    assert refused(services.list(parent=f"projects/{PROJECT}", pageSize=-1))["code"] == 400
    assert refused(services.list(parent=f"projects/{PROJECT}", pageToken="x"))["code"] == 400
    assert refused(services.batchEnable(parent=f"projects/{PROJECT}", body={}))["code"] == 400
    error = refused(services.enable(name=RUN, body={"nope": 1}))
    assert error["message"] == 'Invalid JSON payload received. Unknown name "nope": Cannot find field.'
