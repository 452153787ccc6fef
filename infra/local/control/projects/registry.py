"""The projects that are known: found by id or by number."""

import re

from infra.local.api.errors import denied
from infra.local.control.documents import Documents, Json, timestamp
from infra.local.control.names import new_etag, project_number
from infra.local.state import Store

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")


class Projects:
    """Projects in a store, as messages of Resource Manager v3.

    A project is there as soon as anybody asks for a well-formed id; a number is known once its id is.
    """

    def __init__(self, store: Store) -> None:
        self._documents = Documents(store, "project")

    def find(self, project: str) -> Json:
        """The project of an id or a number. Raises ApiError, 403, as Google does for what is not there."""
        found = self._documents.get(f"projects/{project_number(project)}")
        if found is not None:
            return found
        if not _ID.fullmatch(project):
            raise denied(
                f"The caller does not have permission, or there is no project '{project[:100]}'.",
                "CONSUMER_INVALID",
                {"consumer": f"projects/{project[:100]}"},
            )
        return self.add(project)

    def known(self, project: str) -> bool:
        """Whether a project was named before."""
        return self._documents.get(f"projects/{project_number(project)}") is not None

    def add(self, project: str, *, name: str = "", parent: str = "", **fields: Json) -> Json:
        """A new project."""
        now = timestamp()
        return self.put(
            {
                "name": f"projects/{project_number(project)}",
                **({"parent": parent} if parent else {}),
                "projectId": project,
                "state": "ACTIVE",
                "displayName": name or project,
                "createTime": now,
                "updateTime": now,
                **fields,
            }
        )

    def put(self, project: Json) -> Json:
        """Store a new version of a project."""
        project["etag"] = new_etag().strip('"')
        return self._documents.put(project["name"], project)

    def all(self) -> list[Json]:
        """Every project that is known, oldest first."""
        return [*self._documents.all("")]

    def id_of(self, project: str) -> str:
        """The id of a project, by its id or number. Raises ApiError, 403."""
        return str(self.find(project)["projectId"])


def valid_id(project: str) -> bool:
    """Whether a project may have that id."""
    return _ID.fullmatch(project) is not None
