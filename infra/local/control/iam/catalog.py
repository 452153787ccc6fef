"""iam.v1.roles: the predefined roles, to look at."""

import base64

from infra.local.api.discovery import Request
from infra.local.api.errors import not_found
from infra.local.control.documents import Json, page_of
from infra.local.control.iam.roles import ROLES, Role

_ETAG = base64.b64encode(b"predefined").decode()


class Roles:
    """Predefined roles; a project has none of its own."""

    async def get(self, request: Request) -> Json:
        """A role with its permissions."""
        name = request.parameters["name"]
        role = ROLES.get(name)
        if role is None:
            raise not_found(f"The role named {name[:200]} was not found.")
        return _role(name, role, full=True)

    async def list(self, request: Request) -> Json:
        """All roles; with permissions in the view FULL."""
        if request.parameters.get("parent"):
            return {}
        full = request.parameters.get("view") == "FULL"
        found = [_role(name, role, full=full) for name, role in sorted(ROLES.items())]
        return page_of(found, request.parameters, "roles", default=300)

    async def query_grantable_roles(self, request: Request) -> Json:
        """The roles that can be granted on a resource: all of them on any."""
        full = request.body.get("view") == "FULL"
        found = [_role(name, role, full=full) for name, role in sorted(ROLES.items())]
        return page_of(found, request.body, "roles", default=300)


class ProjectRoles:
    """iam.v1.projects.roles: there are no custom roles."""

    async def get(self, request: Request) -> Json:
        """There is none to get."""
        raise not_found(f"The role named {request.parameters['name'][:200]} was not found.")

    async def list(self, _request: Request) -> Json:
        """None."""
        return {}


def _role(name: str, role: Role, *, full: bool) -> Json:
    made: Json = {"name": name, "title": role.title, "stage": "GA", "etag": _ETAG}
    if full:
        made["includedPermissions"] = list(role.permissions)
    return made
