"""Resource Manager, v1 and v3, put together: projects and the policies on them."""

import re
from datetime import timedelta

from infra.local.api import Api
from infra.local.api.discovery import Request
from infra.local.api.errors import exists, invalid, precondition
from infra.local.control.documents import Json, Operations, check_mask, merged, new_id, page_of, timestamp
from infra.local.control.iam.json import JsonPolicies
from infra.local.control.projects.registry import Projects, valid_id
from infra.local.state import Store

_V3 = "google.cloud.resourcemanager.v3"
_LABEL_KEY = re.compile(r"[a-z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_TERM = re.compile(r"([\w.]+)\s*[:=]\s*\"?([^\s\"]+)\"?")
_LIFETIME = timedelta(days=30)  # of a deleted project


class ResourceManager:
    """Resource Manager over a store."""

    def __init__(self, store: Store) -> None:
        self.projects = Projects(store)
        self.operations = Operations(store)
        self._policies = JsonPolicies(store, self._resource)

    def serve(self, api: Api) -> None:
        """Answer Resource Manager's methods."""
        api.serve("cloudresourcemanager.v1.projects", ProjectsV1(self.projects, self.operations))
        api.serve("cloudresourcemanager.v3.projects", ProjectsV3(self.projects, self.operations))
        for version in ("v1", "v3"):
            api.serve(f"cloudresourcemanager.{version}.projects", self._policies)
            api.serve(f"cloudresourcemanager.{version}.operations", self.operations)

    def _resource(self, name: str) -> str:
        """A project's full name: v1 has its id alone, v3 "projects/ID"."""
        return str(self.projects.find(name.removeprefix("projects/"))["name"])


class ProjectsV3:
    """cloudresourcemanager.v3.projects."""

    def __init__(self, projects: Projects, operations: Operations) -> None:
        self._projects = projects
        self._operations = operations

    async def create(self, request: Request) -> Json:
        """A new project."""
        return self._operation(create(self._projects, request.body), "Project")

    async def get(self, request: Request) -> Json:
        """The project."""
        return self._find(request)

    async def list(self, request: Request) -> Json:
        """The projects of an organization or a folder."""
        parent = request.parameters.get("parent", "")
        if not parent:
            raise invalid("parent is required.", [("parent", "parent is required.")])
        deleted = request.parameters.get("showDeleted", False)
        found = [
            project
            for project in self._projects.all()
            if project.get("parent") == parent and (deleted or project["state"] == "ACTIVE")
        ]
        return page_of(found, request.parameters, "projects")

    async def search(self, request: Request) -> Json:
        """The projects that a query means."""
        wanted = terms(request.parameters.get("query", ""))
        found = [each for each in self._projects.all() if matches(each, wanted)]
        return page_of(found, request.parameters, "projects")

    async def patch(self, request: Request) -> Json:
        """Change name or labels."""
        mask = request.parameters.get("updateMask")
        check_mask(mask, ("displayName", "labels"))
        kept = ("name", "projectId", "state", "parent", "createTime", "updateTime", "deleteTime", "etag")
        project = merged(self._find(request), request.body, mask, kept)
        check_labels(project)
        project["displayName"] = project.get("displayName") or project["projectId"]
        project["updateTime"] = timestamp()
        return self._operation(self._projects.put(project), "Project")

    async def delete(self, request: Request) -> Json:
        """Mark a project as deleted: it can be had back for thirty days."""
        return self._operation(delete(self._projects, self._find(request)), "Project")

    async def undelete(self, request: Request) -> Json:
        """Have a deleted project back."""
        return self._operation(undelete(self._projects, self._find(request)), "Project")

    def _find(self, request: Request) -> Json:
        return self._projects.find(request.parameters["name"].removeprefix("projects/"))

    def _operation(self, project: Json, kind: str) -> Json:
        return self._operations.done(f"operations/cp.{new_id()}", project, f"{_V3}.{kind}")


class ProjectsV1:
    """cloudresourcemanager.v1.projects: the same projects in an older form."""

    def __init__(self, projects: Projects, operations: Operations) -> None:
        self._projects = projects
        self._operations = operations

    async def create(self, request: Request) -> Json:
        """A new project."""
        parent = request.body.get("parent", {})
        body = {
            "projectId": request.body.get("projectId", ""),
            "displayName": request.body.get("name", ""),
            "parent": f"{parent.get('type', '')}s/{parent.get('id', '')}" if parent else "",
            "labels": request.body.get("labels", {}),
        }
        made = older(create(self._projects, body))
        return self._operations.done(
            f"operations/cp.{new_id()}", made, "google.cloudresourcemanager.v1.Project"
        )

    async def get(self, request: Request) -> Json:
        """The project."""
        return older(self._find(request))

    async def list(self, request: Request) -> Json:
        """The projects that a filter means."""
        wanted = terms(request.parameters.get("filter", ""))
        found = [older(each) for each in self._projects.all()]
        found = [each for each in found if matches(each, wanted)]
        return page_of(found, request.parameters, "projects")

    async def update(self, request: Request) -> Json:
        """Change name and labels."""
        project = self._find(request)
        project["displayName"] = request.body.get("name", project["displayName"])
        project["labels"] = request.body.get("labels", {})
        check_labels(project)
        project["updateTime"] = timestamp()
        return older(self._projects.put(project))

    async def delete(self, request: Request) -> None:
        """Mark a project as deleted: it can be had back for thirty days."""
        delete(self._projects, self._find(request))

    async def undelete(self, request: Request) -> None:
        """Have a deleted project back."""
        undelete(self._projects, self._find(request))

    async def get_ancestry(self, request: Request) -> Json:
        """What a project is in: itself first."""
        project = older(self._find(request))
        above = [{"type": "project", "id": project["projectId"]}]
        if "parent" in project:
            above.append(project["parent"])
        return {"ancestor": [{"resourceId": each} for each in above]}

    def _find(self, request: Request) -> Json:
        return self._projects.find(request.parameters["projectId"])


def create(projects: Projects, body: Json) -> Json:
    """A new project as asked for. Raises ApiError, 400, 409."""
    project = body.get("projectId", "")
    if not valid_id(project):
        text = (
            "project_id is 6 to 30 lowercase letters, digits or hyphens, begins with a letter and does not "
            "end with a hyphen."
        )
        raise invalid("field [project_id] has issue [project_id is invalid]", [("project_id", text)])
    check_labels(body)
    if projects.known(project):
        raise exists("Requested entity already exists", f"projects/{project}")
    labels = {"labels": body["labels"]} if body.get("labels") else {}
    return projects.add(project, name=body.get("displayName", ""), parent=body.get("parent", ""), **labels)


def delete(projects: Projects, project: Json) -> Json:
    """Mark a project as deleted. Raises ApiError, 400, when it is already."""
    if project["state"] != "ACTIVE":
        raise precondition("Precondition check failed.")
    return projects.put({**project, "state": "DELETE_REQUESTED", "deleteTime": timestamp(_LIFETIME)})


def undelete(projects: Projects, project: Json) -> Json:
    """Have a project back. Raises ApiError, 400, when it is not deleted."""
    if project["state"] == "ACTIVE":
        raise precondition("Precondition check failed.")
    project.pop("deleteTime", None)
    return projects.put({**project, "state": "ACTIVE"})


def older(project: Json) -> Json:
    """A project as v1 has it."""
    made = {
        "projectNumber": project["name"].removeprefix("projects/"),
        "projectId": project["projectId"],
        "lifecycleState": project["state"],
        "name": project["displayName"],
        "createTime": project["createTime"],
    }
    if project.get("labels"):
        made["labels"] = project["labels"]
    if project.get("parent"):
        kind, _, number = project["parent"].partition("/")
        made["parent"] = {"type": kind.removesuffix("s"), "id": number}
    return made


def check_labels(project: Json) -> None:
    """Raise ApiError, 400, for a label that Google would not take."""
    for key, value in project.get("labels", {}).items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            text = f"Invalid label {key[:100]}: {value[:100]}."
            raise invalid(text, [("labels", text)])


def terms(text: str) -> list[tuple[str, str]]:
    """The terms of a filter, all of which have to hold: "labels.env:test state:ACTIVE"."""
    left = _TERM.sub("", text).replace("AND", "").strip()
    if left:
        raise invalid("Invalid filter.", [("filter", f"Cannot parse filter: {left[:200]}")])
    return _TERM.findall(text)


def matches(project: Json, wanted: list[tuple[str, str]]) -> bool:
    """Whether all terms hold for a project; "*" is anything, and is at the end of a beginning."""
    for field, value in wanted:
        name, _, key = field.partition(".")
        actual = {"id": project["projectId"]}.get(name) or project.get(name, "")
        actual = actual.get(key, "") if isinstance(actual, dict) else actual
        beginning = value.removesuffix("*")
        if not (str(actual).startswith(beginning) if value.endswith("*") else str(actual) == value):
            return False
    return True
