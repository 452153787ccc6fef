"""Resource Manager by Google's own clients, v1 and v3."""

import pytest

from infra.local.control.names import project_number
from tests.integration.infra.local.documented import build, detail, refused

PROJECT = "shipway-test"
NUMBER = project_number(PROJECT)
VIEWER = {"role": "roles/viewer", "members": ["user:a@example.com"]}


@pytest.fixture
def v1(cloud):
    with build(cloud.url, "cloudresourcemanager", "v1") as client:
        yield client.projects()


@pytest.fixture
def v3(cloud):
    with build(cloud.url, "cloudresourcemanager", "v3") as client:
        yield client.projects()


def test_a_project_is_there_once_it_is_named(v1, v3):
    found = v1.get(projectId=PROJECT).execute()
    assert (found["projectId"], found["projectNumber"]) == (PROJECT, NUMBER)
    assert found["lifecycleState"] == "ACTIVE"
    same = v3.get(name=f"projects/{NUMBER}").execute()
    assert (same["name"], same["projectId"], same["state"]) == (f"projects/{NUMBER}", PROJECT, "ACTIVE")
    assert v1.getAncestry(projectId=PROJECT, body={}).execute() == {
        "ancestor": [{"resourceId": {"type": "project", "id": PROJECT}}]
    }


@pytest.mark.parametrize("name", ["x", "Upper-case", "999999999999", "ends-with-"])
def test_what_can_be_no_project_is_not_let_be_seen(v1, v3, name):
    for error in (refused(v1.get(projectId=name)), refused(v3.get(name=f"projects/{name}"))):
        assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")


def test_a_project_is_created_changed_deleted_and_had_back(v3):
    body = {"projectId": "made-by-v3", "displayName": "Made", "labels": {"env": "test"}}
    operation = v3.create(body=body).execute()
    assert operation["done"]
    made = operation["response"]
    name = made["name"]
    assert (made["displayName"], made["labels"]) == ("Made", {"env": "test"})
    assert refused(v3.create(body=body))["status"] == "ALREADY_EXISTS"
    changed = v3.patch(name=name, updateMask="displayName", body={"displayName": "New", "labels": {}})
    assert changed.execute()["response"]["displayName"] == "New"
    assert v3.get(name=name).execute()["labels"] == {"env": "test"}
    assert v3.delete(name=name).execute()["response"]["state"] == "DELETE_REQUESTED"
    assert refused(v3.delete(name=name))["status"] == "FAILED_PRECONDITION"
    assert v3.undelete(name=name, body={}).execute()["response"]["state"] == "ACTIVE"


def test_the_older_version_has_the_same_projects(v1, v3):
    body = {"projectId": "made-by-v1", "name": "Made", "parent": {"type": "folder", "id": "7"}}
    assert v1.create(body=body).execute()["response"]["projectId"] == "made-by-v1"
    found = v3.list(parent="folders/7").execute()["projects"]
    assert [each["projectId"] for each in found] == ["made-by-v1"]
    changed = v1.update(projectId="made-by-v1", body={"name": "New", "labels": {"a": "b"}}).execute()
    assert (changed["name"], changed["labels"]) == ("New", {"a": "b"})
    v1.delete(projectId="made-by-v1").execute()
    assert v1.get(projectId="made-by-v1").execute()["lifecycleState"] == "DELETE_REQUESTED"
    v1.undelete(projectId="made-by-v1", body={}).execute()


def test_projects_are_found_by_filter_and_page(v1, v3):
    for number in range(3):
        body = {"projectId": f"number-{number}", "labels": {"n": str(number)}}
        v3.create(body=body).execute()
    assert [each["projectId"] for each in v1.list(filter="labels.n:1").execute()["projects"]] == ["number-1"]
    found = v3.search(query="id:number-*", pageSize=2)
    first = found.execute()
    rest = v3.search_next(found, first).execute()
    assert [each["projectId"] for each in first["projects"] + rest["projects"]] == [
        "number-0",
        "number-1",
        "number-2",
    ]
    assert refused(v1.list(filter="((("))["code"] == 400


@pytest.mark.parametrize(
    "body", [{}, {"projectId": "x"}, {"projectId": "good-name", "labels": {"Bad Key": ""}}]
)
def test_a_project_that_cannot_be_is_refused(v3, body):
    assert refused(v3.create(body=body))["status"] == "INVALID_ARGUMENT"


def test_a_policy_is_read_changed_and_written_by_its_etag(v1, v3):
    policy = v1.getIamPolicy(resource=PROJECT, body={}).execute()
    assert policy["bindings"] == [
        {
            "role": "roles/editor",
            "members": [f"serviceAccount:{NUMBER}-compute@developer.gserviceaccount.com"],
        }
    ]
    policy["bindings"].append(VIEWER)
    written = v1.setIamPolicy(resource=PROJECT, body={"policy": policy}).execute()
    assert VIEWER in written["bindings"]
    assert written["etag"] != policy["etag"]
    assert v3.getIamPolicy(resource=f"projects/{NUMBER}", body={}).execute() == written
    error = refused(v1.setIamPolicy(resource=PROJECT, body={"policy": policy}))
    assert (error["code"], error["status"]) == (409, "ABORTED")
    assert "There were concurrent policy changes" in error["message"]


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({"bindings": [{"role": "viewer", "members": []}]}, "Role viewer is not supported"),
        ({"bindings": [{"role": "roles/viewer", "members": ["a"]}]}, "Invalid member: a"),
        ({"version": 2}, "Invalid policy version"),
        ({"bindings": [{"roles": "x"}]}, "Unknown name \"roles\" at 'policy.bindings[0]'"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(v1, policy, text):
    error = refused(v1.setIamPolicy(resource=PROJECT, body={"policy": policy}))
    assert error["code"] == 400
    assert text in error["message"]


def test_permissions_are_tried(v3):
    body = {"permissions": ["resourcemanager.projects.get"]}
    assert v3.testIamPermissions(resource=f"projects/{PROJECT}", body=body).execute() == body
    error = refused(v3.testIamPermissions(resource=f"projects/{PROJECT}", body={"permissions": ["*"]}))
    assert detail(error, "BadRequest")["fieldViolations"][0]["field"] == "permissions"
