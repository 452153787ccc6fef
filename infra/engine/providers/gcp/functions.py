"""The functions (data sources) that are served."""

from __future__ import annotations

from collections.abc import Mapping

from infra.engine.providers.contract import Called, Failure
from infra.engine.providers.gcp.client import Client, Request
from infra.engine.providers.gcp.configuration import Configuration
from infra.engine.values import Properties

PROJECT = "gcp:organizations/getProject:getProject"
CLIENT = "gcp:organizations/getClientConfig:getClientConfig"
_PARENTS: Mapping[str, str] = {"folder": "folderId", "organization": "orgId"}


async def call(
    token: str, arguments: Properties, client: Client, configuration: Configuration
) -> Called | None:
    """The result of a function; None for one that is not served. Raises GoogleError."""
    if token == PROJECT:
        return await _project(arguments, client, configuration)
    if token == CLIENT:
        place = {name: getattr(configuration, name) or "" for name in ("project", "region", "zone")}
        return Called({**place, "accessToken": configuration.token or "", "id": _client_id(place)})
    return None


async def _project(arguments: Properties, client: Client, configuration: Configuration) -> Called:
    project = arguments.get("projectId") or configuration.project
    if not isinstance(project, str) or not project:
        text = "projectId must be set, here or for the provider (gcp:project)."
        return Called({}, (Failure("projectId", text),))
    answer = await client.call(Request("resourceManager", "GET", f"projects/{project}"))
    labels = answer.get("labels") or {}
    parent = answer.get("parent") or {}
    found: Properties = {
        "autoCreateNetwork": True,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": labels,
        "folderId": "",
        "id": f"projects/{project}",
        "labels": labels,
        "name": answer.get("name", ""),
        "number": str(answer["projectNumber"]),
        "orgId": "",
        "projectId": answer["projectId"],
        "pulumiLabels": {},
        "tags": {},
    }
    if (kind := _PARENTS.get(str(parent.get("type")))) is not None:
        found[kind] = str(parent.get("id", ""))
    return Called(found)


def _client_id(place: Mapping[str, str]) -> str:
    """The form of Terraform's id."""
    return f'projects/"{place["project"]}"/regions/"{place["region"]}"/zones/"{place["zone"]}"'
