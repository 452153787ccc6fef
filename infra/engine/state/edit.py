"""Changes to a deployment as it is stored, that need no secret: renaming, deleting, unprotecting."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.engine.deploy import urns
from infra.engine.state.errors import StateError
from infra.engine.state.reference import Reference

_REFERENCES = ("urn", "parent", "provider", "deletedWith", "viewOf")
_HINT = (
    "To list the resource URNs in the stack, run `pulumi stack --show-urns`; to inspect the full state, run"
    " `pulumi stack export`."
)
_LISTS = ("dependencies", "aliases", "replaceWith")


def renamed(deployment: dict[str, Any], old: Reference, new: Reference) -> dict[str, Any]:
    """The deployment of stack ``old`` as that of stack ``new``.

    Every URN, and the root resource's name, follow.
    """
    project = old.project or project_of(deployment)
    before, after = (
        f"urn:pulumi:{old.name}::{project}::",
        f"urn:pulumi:{new.name}::{new.project or project}::",
    )
    root = urns.root(old.name, project), urns.root(new.name, new.project or project)

    def moved(urn: str) -> str:
        if urn == root[0]:
            return root[1]
        return after + urn.removeprefix(before) if urn.startswith(before) else urn

    copy: dict[str, Any] = json.loads(json.dumps(deployment))
    pending = [operation["resource"] for operation in copy.get("pending_operations") or ()]
    for resource in [*(copy.get("resources") or ()), *pending]:
        rewrite(resource, moved)
    return copy


def project_of(deployment: Mapping[str, Any]) -> str:
    """The project that its resources are of, empty without any."""
    resources = deployment.get("resources") or []
    return str(resources[0]["urn"]).split("::")[1] if resources else ""


def rewrite(resource: dict[str, Any], moved: Callable[[str], str]) -> None:
    """Pass every URN that a resource refers to, and its own, through ``moved``."""
    for name in _REFERENCES:
        if resource.get(name):
            resource[name] = moved(resource[name])
    for name in _LISTS:
        if resource.get(name):
            resource[name] = [moved(urn) for urn in resource[name]]
    dependencies = resource.get("propertyDependencies") or {}
    for key, targets in dependencies.items():
        dependencies[key] = [moved(urn) for urn in targets or ()]


def rename_resource(deployment: dict[str, Any], urn: str, name: str) -> str:
    """Give the resource ``urn`` another name, in place; returns its new URN.

    Raises StateError if that is taken.
    """
    target = urn.rpartition("::")[0] + f"::{name}"
    resources = deployment.get("resources") or []
    if any(resource["urn"] == target for resource in resources):
        raise StateError("The chosen new urn for the state corresponds to an already existing resource")
    found(deployment, urn)

    def moved(reference: str) -> str:
        if reference == urn:
            return target
        return target + reference.removeprefix(urn) if reference.startswith(f"{urn}::") else reference

    for resource in resources:
        rewrite(resource, moved)
    return target


def found(deployment: dict[str, Any], urn: str) -> dict[str, Any]:
    """The resource ``urn``. Raises StateError if there is none, or more than one."""
    matching = [resource for resource in deployment.get("resources") or () if resource["urn"] == urn]
    if not matching:
        if not urns.valid(urn):
            raise StateError(f'"{urn}" is not a valid resource URN\n{_HINT}')
        raise StateError(f'No such resource "{urn}" exists in the current state\n{_HINT}')
    return dict_of(matching)


def dict_of(matching: list[dict[str, Any]]) -> dict[str, Any]:
    """The one that lives of several versions of a resource."""
    return next((resource for resource in matching if not resource.get("delete")), matching[0])


def dependents(deployment: dict[str, Any], urn: str) -> list[str]:
    """The URNs of resources that depend on ``urn``, directly or not, in the order of the state."""
    doomed = {urn}
    result = []
    for resource in deployment.get("resources") or ():
        if resource["urn"] != urn and doomed & set(_links(resource)):
            doomed.add(resource["urn"])
            result.append(resource["urn"])
    return result


def _links(resource: dict[str, Any]) -> list[str]:
    links = [
        resource.get("parent", ""),
        resource.get("provider", "").rpartition("::")[0],
        resource.get("deletedWith", ""),
        *(resource.get("dependencies") or ()),
    ]
    for targets in (resource.get("propertyDependencies") or {}).values():
        links += targets or ()
    return [link for link in links if link]


def delete_resource(
    deployment: dict[str, Any], urn: str, *, force: bool = False, target_dependents: bool = False
) -> None:
    """Forget the resource ``urn``, in place, and leave the thing itself alone.

    Raises:
        StateError: others depend on it (unless ``target_dependents``), or it is protected (unless ``force``).
    """
    resource = found(deployment, urn)
    doomed = [urn]
    users = dependents(deployment, urn)
    if users and not target_dependents:
        listed = "".join(f"\n * {_quoted_name(user):<15} ({user})" for user in users)
        raise StateError(
            f"{urn} can't be safely deleted because the following resources depend on it:{listed}"
            "\n\nDelete those resources first or pass --target-dependents."
        )
    doomed += users
    if resource.get("protect") and not force:
        raise StateError(
            f"{urn} can't be safely deleted because it is protected. Re-run this command with --force"
            " to force deletion"
        )
    deployment["resources"] = [item for item in deployment["resources"] if item["urn"] not in doomed]


def with_urns(text: str, names: Mapping[str, str]) -> str:
    """A resource (as JSON text) whose references to the URNs that are keys are to the values instead."""
    from infra.engine.state import gojson

    def moved(reference: str) -> str:
        if reference in names:
            return names[reference]
        provider, _, identifier = reference.rpartition("::")
        return f"{names[provider]}::{identifier}" if provider in names else reference

    value = json.loads(text)
    own = value.get("urn")
    rewrite(value, moved)
    if own is not None:
        value["urn"] = own
    return gojson.dumps(value)


def _quoted_name(urn: str) -> str:
    return f'"{urn.rpartition("::")[2]}"'
