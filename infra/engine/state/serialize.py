"""A snapshot to and from DeploymentV3, its fields in the order in which Pulumi writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from infra.engine.state.errors import CorruptError, StateError
from infra.engine.state.model import Manifest, Operation, Resource, SecretsProvider, Snapshot
from infra.engine.state.properties import Cipher, decode, decode_all, encode

JOURNAL_FEATURE = "shipway-journal"
"""Marks a checkpoint that lags behind the journal beside it, so that nobody who can't read that trusts it."""

_SUPPORTED = frozenset({"refreshBeforeUpdate", "views", "hooks", "taint", "replaceWith", JOURNAL_FEATURE})


def manifest_json(time: str, version: str) -> dict[str, Any]:
    """A manifest; its magic proves that nobody changed the version by hand."""
    magic = hashlib.sha256(version.encode()).hexdigest() if version else ""
    return {"time": time, "magic": magic, "version": version}


def resource_json(resource: Resource, cipher: Cipher | None) -> dict[str, Any]:
    """A resource as ResourceV3; what is empty is left out."""
    place = resource.urn
    fields: list[tuple[str, Any]] = [
        ("urn", resource.urn),
        ("custom", resource.custom),
        ("delete", resource.delete),
        ("id", resource.id),
        ("type", resource.type),
        ("inputs", encode(resource.inputs, cipher, f"{place} inputs")),
        ("outputs", encode(resource.outputs, cipher, f"{place} outputs")),
        ("parent", resource.parent),
        ("protect", resource.protect),
        ("taint", resource.taint),
        ("external", resource.external),
        ("dependencies", list(resource.dependencies)),
        ("initErrors", list(resource.init_errors)),
        ("provider", resource.provider),
        ("propertyDependencies", _lists(resource.property_dependencies)),
        ("pendingReplacement", resource.pending_replacement),
        ("additionalSecretOutputs", list(resource.additional_secret_outputs)),
        ("aliases", list(resource.aliases)),
        ("customTimeouts", _timeouts(resource.custom_timeouts)),
        ("importID", resource.import_id),
        ("retainOnDelete", resource.retain_on_delete),
        ("deletedWith", resource.deleted_with),
        ("replaceWith", list(resource.replace_with)),
        ("created", resource.created),
        ("modified", resource.modified),
        ("sourcePosition", resource.source_position),
        ("stackTrace", [{"sourcePosition": frame} if frame else {} for frame in resource.stack_trace]),
        ("ignoreChanges", list(resource.ignore_changes)),
        ("hideDiff", [list(path) for path in resource.hide_diff]),
        ("replaceOnChanges", list(resource.replace_on_changes)),
        ("replacementTrigger", encode(resource.replacement_trigger, cipher, f"{place} trigger")),
        ("refreshBeforeUpdate", resource.refresh_before_update),
        ("viewOf", resource.view_of),
        ("resourceHooks", _lists(resource.resource_hooks)),
        ("extensionRef", resource.extension_ref),
        ("snippetID", resource.snippet_id),
    ]
    return {name: value for name, value in fields if name == "custom" or _is_given(name, value)}


def _is_given(name: str, value: Any) -> bool:
    if name == "replacementTrigger":
        return value is not None
    return value not in (None, False, "", [], {})


def _lists(value: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {key: list(value[key]) for key in sorted(value)}


def _timeouts(value: Mapping[str, float]) -> dict[str, float]:
    return {name: value[name] for name in ("create", "update", "delete", "read") if value.get(name)}


def operation_json(operation: Operation, cipher: Cipher | None) -> dict[str, Any]:
    """A pending operation as OperationV2."""
    return {"resource": resource_json(operation.resource, cipher), "type": operation.type}


def features_of(resource: Mapping[str, Any]) -> set[str]:
    """What a resource (as JSON) needs of who reads it."""
    needs = {
        "refreshBeforeUpdate": "refreshBeforeUpdate",
        "viewOf": "views",
        "resourceHooks": "hooks",
        "taint": "taint",
        "replaceWith": "replaceWith",
        "extensionRef": "extensionParameterization",
        "snippetID": "snippets-prototype",
    }
    return {feature for name, feature in needs.items() if name in resource}


def deployment_json(snapshot: Snapshot, cipher: Cipher | None) -> tuple[dict[str, Any], set[str]]:
    """A snapshot as DeploymentV3, and the features it uses (none: version 3, else version 4)."""
    resources = [resource_json(resource, cipher) for resource in snapshot.resources]
    pending = [operation_json(operation, cipher) for operation in snapshot.pending_operations]
    features = {feature for resource in resources for feature in features_of(resource)}
    manifest = snapshot.manifest
    result: dict[str, Any] = {
        "manifest": {"time": manifest.time, "magic": manifest.magic, "version": manifest.version}
    }
    if manifest.plugins:
        result["manifest"]["plugins"] = [dict(plugin) for plugin in manifest.plugins]
    if snapshot.secrets_provider is not None:
        result["secrets_providers"] = provider_json(snapshot.secrets_provider)
    result |= {
        name: value for name, value in (("resources", resources), ("pending_operations", pending)) if value
    }
    result["metadata"] = dict(snapshot.metadata)
    result |= {"snippets": [dict(snippet) for snippet in snapshot.snippets]} if snapshot.snippets else {}
    result |= {"extensions": dict(snapshot.extensions)} if snapshot.extensions else {}
    return result, features


def provider_json(provider: SecretsProvider) -> dict[str, Any]:
    """A secrets provider as SecretsProvidersV1."""
    return {"type": provider.type} | ({"state": dict(provider.state)} if provider.state else {})


def check_version(version: Any, features: Iterable[str]) -> None:
    """Raise StateError for a deployment that was written by a version too old or too new for this one."""
    if not isinstance(version, int) or version > 4:
        raise StateError(
            "the stack is newer than what this version of Pulumi understands: its state has version"
            f" {version}, and 4 is the newest known"
        )
    if version < 1:
        raise StateError("this stack's deployment is too old")
    unknown = sorted(set(features) - _SUPPORTED) if version >= 4 else []
    if unknown:
        raise StateError(
            f"this stack's deployment needs support for the following features: {', '.join(unknown)}"
        )


def parse_deployment(value: Mapping[str, Any], cipher: Cipher | None) -> Snapshot:
    """A snapshot from DeploymentV3 (versions 1 and 2 lack fields, and have the same names for the others)."""
    manifest = value.get("manifest") or {}
    provider = value.get("secrets_providers")
    return Snapshot(
        manifest=Manifest(
            manifest.get("time", ""),
            manifest.get("magic", ""),
            manifest.get("version", ""),
            tuple(manifest.get("plugins") or ()),
        ),
        resources=tuple(parse_resource(item, cipher) for item in value.get("resources") or ()),
        pending_operations=tuple(
            Operation(parse_resource(item["resource"], cipher), item["type"])
            for item in value.get("pending_operations") or ()
        ),
        secrets_provider=SecretsProvider(provider["type"], provider.get("state") or {}) if provider else None,
        metadata=value.get("metadata") or {},
        snippets=tuple(value.get("snippets") or ()),
        extensions=value.get("extensions") or {},
    )


def parse_resource(value: Mapping[str, Any], cipher: Cipher | None) -> Resource:
    """A resource from ResourceV3. Raises CorruptError for one that lacks what each must have."""
    urn = value.get("urn", "")
    if not urn:
        raise CorruptError("resource missing required 'urn' field")
    if not value.get("type"):
        raise CorruptError(f"resource '{urn}' missing required 'type' field")
    if not value.get("custom") and value.get("id"):
        raise CorruptError(f"resource '{urn}' has 'custom' false but non-empty ID")
    return Resource(
        urn=urn,
        type=value["type"],
        custom=bool(value.get("custom")),
        id=value.get("id", ""),
        inputs=decode_all(value.get("inputs"), cipher, f"{urn} inputs"),
        outputs=decode_all(value.get("outputs"), cipher, f"{urn} outputs"),
        delete=value.get("delete", False),
        parent=value.get("parent", ""),
        protect=value.get("protect", False),
        taint=value.get("taint", False),
        external=value.get("external", False),
        dependencies=tuple(value.get("dependencies") or ()),
        init_errors=tuple(value.get("initErrors") or ()),
        provider=value.get("provider", ""),
        property_dependencies=_tuples(value.get("propertyDependencies")),
        pending_replacement=value.get("pendingReplacement", False),
        additional_secret_outputs=tuple(value.get("additionalSecretOutputs") or ()),
        aliases=tuple(value.get("aliases") or ()),
        custom_timeouts=value.get("customTimeouts") or {},
        import_id=value.get("importID", ""),
        retain_on_delete=value.get("retainOnDelete", False),
        deleted_with=value.get("deletedWith", ""),
        replace_with=tuple(value.get("replaceWith") or ()),
        created=value.get("created") or "",
        modified=value.get("modified") or "",
        source_position=value.get("sourcePosition", ""),
        stack_trace=tuple(frame.get("sourcePosition", "") for frame in value.get("stackTrace") or ()),
        ignore_changes=tuple(value.get("ignoreChanges") or ()),
        hide_diff=tuple(tuple(path) for path in value.get("hideDiff") or ()),
        replace_on_changes=tuple(value.get("replaceOnChanges") or ()),
        replacement_trigger=decode(value.get("replacementTrigger"), cipher, f"{urn} trigger"),
        refresh_before_update=value.get("refreshBeforeUpdate", False),
        view_of=value.get("viewOf", ""),
        resource_hooks=_tuples(value.get("resourceHooks")),
        extension_ref=value.get("extensionRef", ""),
        snippet_id=value.get("snippetID", ""),
    )


def _tuples(value: Mapping[str, Iterable[str]] | None) -> dict[str, tuple[str, ...]]:
    return {key: tuple(items or ()) for key, items in (value or {}).items()}
