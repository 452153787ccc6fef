"""Service Usage v1: services that are enabled and disabled, and whether a request may use one."""

import re
from collections.abc import Sequence

from infra.local.api import Api
from infra.local.api.discovery import Request
from infra.local.api.errors import denied, invalid
from infra.local.control.documents import Documents, Json, Operations, new_id, page_of
from infra.local.control.names import check_project, numbered
from infra.local.state import Store

HOST = "serviceusage.googleapis.com"
MAX_BATCH, MAX_BATCH_GET = 20, 30
_TYPE = "google.api.serviceusage.v1"
_NAME = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.googleapis\.com")
TITLES = {
    "artifactregistry.googleapis.com": "Artifact Registry API",
    "billingbudgets.googleapis.com": "Cloud Billing Budget API",
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "iamcredentials.googleapis.com": "IAM Service Account Credentials API",
    "logging.googleapis.com": "Cloud Logging API",
    "monitoring.googleapis.com": "Cloud Monitoring API",
    "run.googleapis.com": "Cloud Run Admin API",
    "secretmanager.googleapis.com": "Secret Manager API",
    "serviceusage.googleapis.com": "Service Usage API",
    "sts.googleapis.com": "Security Token Service API",
}
# A strict cloud has these in each project, as Google has.
_ALWAYS = frozenset({"cloudresourcemanager.googleapis.com"})


class ServiceUsage:
    """Service Usage over a store."""

    def __init__(self, store: Store) -> None:
        self._states = Documents(store, "api-service")
        self._operations = Operations(store)

    def serve(self, api: Api) -> None:
        """Answer Service Usage's methods."""
        api.serve("serviceusage.v1.services", self)
        api.serve("serviceusage.v1.operations", self._operations)

    def usable(self, project: str, service: str, *, strict: bool) -> bool:
        """Whether requests to a service may be answered in a project.

        One that was never enabled nor disabled is usable, unless the cloud is `strict`.
        """
        if service == HOST:  # else what is disabled could never be enabled again
            return True
        state = self._states.get(numbered(f"projects/{project}/services/{service}"))
        if state is None:
            return not strict or service in _ALWAYS
        return bool(state["state"] == "ENABLED")

    async def get(self, request: Request) -> Json:
        """A service and whether it is enabled."""
        return self._service(*_split(request.parameters["name"]))

    async def batch_get(self, request: Request) -> Json:
        """Several services."""
        names = request.parameters.get("names", [])
        if len(names) > MAX_BATCH_GET:
            raise invalid(f"At most {MAX_BATCH_GET} services can be asked for at once.")
        parents = {_parent(name.rpartition("/services/")[0]) for name in names}
        if parents - {_parent(request.parameters["parent"])}:
            raise invalid("All services must have the parent of the request.")
        return {"services": [self._service(*_split(name)) for name in names]}

    async def list(self, request: Request) -> Json:
        """The services of a project, all or those of one state."""
        parent = _parent(request.parameters["parent"])
        wanted = request.parameters.get("filter", "").replace(" ", "").replace("=", ":")
        if wanted not in {"", "state:ENABLED", "state:DISABLED"}:
            raise invalid(
                "Invalid filter.", [("filter", "Supported filters: state:ENABLED and state:DISABLED.")]
            )
        names = {*TITLES, *(each["name"].rpartition("/")[2] for each in self._states.all(parent))}
        found = [self._service(parent, name) for name in sorted(names)]
        found = [each for each in found if wanted in {"", f"state:{each['state']}"}]
        return page_of(found, request.parameters, "services", default=50)

    async def enable(self, request: Request) -> Json:
        """Enable a service; one that is enabled stays so."""
        parent, name = _split(request.parameters["name"])
        self._set(parent, [name], "ENABLED")
        return self._done({"service": self._service(parent, name)}, "EnableServiceResponse", parent, [name])

    async def disable(self, request: Request) -> Json:
        """Disable a service: its API is refused from now on."""
        parent, name = _split(request.parameters["name"])
        self._set(parent, [name], "DISABLED")
        return self._done({"service": self._service(parent, name)}, "DisableServiceResponse", parent, [name])

    async def batch_enable(self, request: Request) -> Json:
        """Enable several services, or none of them."""
        parent, names = _parent(request.parameters["parent"]), request.body.get("serviceIds", [])
        if not names or len(names) > MAX_BATCH:
            text = f"Between 1 and {MAX_BATCH} services can be enabled at once."
            raise invalid(text, [("service_ids", text)])
        _check(names)
        self._set(parent, names, "ENABLED")
        response = {"services": [self._service(parent, name) for name in names]}
        return self._done(response, "BatchEnableServicesResponse", parent, names)

    def _set(self, parent: str, names: Sequence[str], state: str) -> None:
        for name in names:
            full = f"{parent}/services/{name}"
            self._states.put(full, {"name": full, "state": state})

    def _service(self, parent: str, name: str) -> Json:
        full = f"{parent}/services/{name}"
        state = self._states.get(full)
        return {
            "name": full,
            "config": {
                "name": name,
                "title": TITLES.get(name, name),
                "usage": {"requirements": ["serviceusage.googleapis.com/tos/cloud"]},
            },
            "state": state["state"] if state else "DISABLED",
            "parent": parent,
        }

    def _done(self, response: Json, kind: str, parent: str, names: Sequence[str]) -> Json:
        number = parent.removeprefix("projects/")
        metadata = {
            "@type": f"type.googleapis.com/{_TYPE}.OperationMetadata",
            "resourceNames": [f"{parent}/services/{name}" for name in names],
        }
        name = f"operations/acat.p2-{number}-{new_id()}"
        return self._operations.done(name, response, f"{_TYPE}.{kind}", metadata)


def _parent(name: str) -> str:
    kind, _, project = name.partition("/")
    if kind != "projects" or not project:
        raise denied(f"Permission denied to list services for consumer container [{name[:100]}]")
    check_project(project, HOST)
    return numbered(f"projects/{project}")


def _split(name: str) -> tuple[str, str]:
    """Parent and service of a service's full name. Raises ApiError, 403."""
    above, _, service = name.rpartition("/services/")
    _check([service])
    return _parent(above), service


def _check(names: Sequence[str]) -> None:
    unknown = [name for name in names if not _NAME.fullmatch(name)]
    if unknown:
        raise denied(
            f"Not found or permission denied for service(s): {', '.join(unknown)[:300]}.",
            "SU_MISSING_NAMES",
            {"services": ",".join(unknown)[:300]},
        )
