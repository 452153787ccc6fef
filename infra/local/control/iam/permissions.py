"""The permissions of the APIs in use, and which of them a method needs.

Names: https://cloud.google.com/iam/docs/permissions-reference: SERVICE.RESOURCES.VERB.
"""

import functools
import re

from infra.local.api.definition import Binding

_STANDARD = ("create", "delete", "get", "list", "update")
_POLICY = ("getIamPolicy", "setIamPolicy")
CATALOG: dict[str, dict[str, tuple[str, ...]]] = {
    "artifactregistry": {
        "repositories": (*_STANDARD, *_POLICY, "downloadArtifacts", "uploadArtifacts", "deleteArtifacts"),
        "dockerimages": ("get", "list"),
        "files": ("delete", "get", "list", "update"),
        "packages": ("delete", "get", "list", "update"),
        "versions": ("delete", "get", "list", "update"),
        "tags": _STANDARD,
        "locations": ("get", "list"),
    },
    "billing": {"budgets": _STANDARD},
    "iam": {
        "serviceAccounts": (
            *_STANDARD, *_POLICY, "actAs", "disable", "enable", "undelete",
            "getAccessToken", "getOpenIdToken", "implicitDelegation", "signBlob", "signJwt",
        ),
        "serviceAccountKeys": ("create", "delete", "disable", "enable", "get", "list"),
        "roles": ("get", "list"),
        "workloadIdentityPools": (*_STANDARD, *_POLICY, "undelete"),
        "workloadIdentityPoolProviders": (*_STANDARD, "undelete"),
    },
    "logging": {
        "logEntries": ("create", "list", "route"),
        "logs": ("delete", "list"),
        "logMetrics": _STANDARD,
        "sinks": _STANDARD,
        "buckets": _STANDARD,
        "views": _STANDARD,
        "exclusions": _STANDARD,
        "privateLogEntries": ("list",),
    },
    "monitoring": {
        "alertPolicies": _STANDARD,
        "alerts": ("get", "list"),
        "groups": _STANDARD,
        "metricDescriptors": ("create", "delete", "get", "list"),
        "monitoredResourceDescriptors": ("get", "list"),
        "notificationChannelDescriptors": ("get", "list"),
        "notificationChannels": (*_STANDARD, "getVerificationCode", "sendVerificationCode", "verify"),
        "services": _STANDARD,
        "slos": _STANDARD,
        "snoozes": ("create", "get", "list", "update"),
        "timeSeries": ("create", "list"),
        "uptimeCheckConfigs": _STANDARD,
    },
    "resourcemanager": {"projects": (*_STANDARD, *_POLICY, "move", "undelete")},
    "run": {
        "services": (*_STANDARD, *_POLICY),
        "revisions": ("delete", "get", "list"),
        "jobs": (*_STANDARD, *_POLICY, "run", "runWithOverrides"),
        "executions": ("cancel", "delete", "get", "list"),
        "tasks": ("get", "list"),
        "operations": ("delete", "get", "list"),
        "routes": ("get", "invoke", "list"),
        "locations": ("list",),
    },
    "secretmanager": {
        "secrets": (*_STANDARD, *_POLICY),
        "versions": ("access", "add", "destroy", "disable", "enable", "get", "list"),
        "locations": ("get", "list"),
    },
    "serviceusage": {
        "services": ("disable", "enable", "get", "list", "use"),
        "operations": ("cancel", "delete", "get", "list"),
    },
}  # fmt: skip

_SERVICES = {
    "cloudresourcemanager": "resourcemanager",
    "billingbudgets": "billing",
    "iamcredentials": "iam",
}
# By SERVICE, resource and verb of a path, where the permission is another one than these three make.
_OTHERWISE = {
    "iam.keys": "serviceAccountKeys",
    "iam.providers": "workloadIdentityPoolProviders",
    "logging.entries": "logEntries",
    "logging.metrics": "logMetrics",
    "monitoring.serviceLevelObjectives": "slos",
    "artifactregistry.dockerImages": "dockerimages",
}
_VERBS = {
    "iam.serviceAccounts.generateAccessToken": "getAccessToken",
    "iam.serviceAccounts.generateIdToken": "getOpenIdToken",
    "logging.entries.write": "create",
    "secretmanager.versions.addVersion": "add",
    "run.operations.wait": "get",
    "resourcemanager.projects.search": "get",
}
_FREE = frozenset({"testIamPermissions", "queryGrantableRoles", "queryTestablePermissions"})
_BY_HTTP = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete", "GET": "get"}


@functools.cache
def all_permissions() -> tuple[str, ...]:
    """Every permission of the catalog."""
    return tuple(
        f"{service}.{resource}.{verb}"
        for service, resources in CATALOG.items()
        for resource, verbs in resources.items()
        for verb in verbs
    )


def permission(method: Binding) -> str:
    """The permission that a method needs, as in "run.services.create"; "" for one that is free."""
    return _permission(method.api.partition(".")[0], method.verb, method.template.plain)


@functools.cache
def _permission(host: str, verb: str, template: str) -> str:
    service = _SERVICES.get(host, host)
    path, _, custom = template.partition(":")
    segments = path.strip("/").split("/")
    if custom in _FREE:
        return ""
    collection = next((part for part in reversed(segments) if "*" not in part), "")
    if custom == "addVersion":
        collection = "versions"
    action = _VERBS.get(f"{service}.{collection}.{custom}") or _action(verb, segments[-1], custom)
    return f"{service}.{_OTHERWISE.get(f'{service}.{collection}', collection)}.{action}"


def _action(verb: str, end: str, custom: str) -> str:
    if custom:
        return re.sub(r"^batch([A-Z])", lambda found: found[1].lower(), custom)
    return "list" if verb == "GET" and "*" not in end else _BY_HTTP[verb]
