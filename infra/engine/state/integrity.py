"""What must hold of any checkpoint.

Each thing is there before what refers to it (VerifyIntegrity of Pulumi).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def fault(deployment: Mapping[str, Any]) -> str | None:
    """What is wrong with a deployment (as JSON), or None."""
    return next(_faults(deployment), None)


def _faults(deployment: Mapping[str, Any]) -> Iterator[str]:
    manifest = deployment.get("manifest") or {}
    version = manifest.get("version", "")
    if manifest.get("magic", "") != (hashlib.sha256(version.encode()).hexdigest() if version else ""):
        yield "magic cookie mismatch: possible tampering/corruption detected"
    resources: Sequence[Mapping[str, Any]] = deployment.get("resources") or ()
    urns: set[str] = set()
    providers: set[str] = set()
    for index, resource in enumerate(resources):
        yield from _shape(resource, index)
        urn = resource["urn"]
        if resource["type"].startswith("pulumi:providers:"):
            providers.add(f"{urn}::{resource.get('id', '')}")
        provider = resource.get("provider")
        if provider and provider not in providers and not resource.get("pendingReplacement"):
            yield f"resource {urn} refers to unknown provider {provider}"
        for kind, target in _references(resource):
            if target not in urns:
                later = any(other.get("urn") == target for other in resources[index + 1 :])
                yield _dangling(urn, kind, target, later=later)
        urns.add(urn)
    live = Counter(resource["urn"] for resource in resources if not resource.get("delete"))
    yield from (
        f"duplicate resource {urn} (not marked for deletion)" for urn, count in live.items() if count > 1
    )


def _shape(resource: Mapping[str, Any], index: int) -> Iterator[str]:
    urn = resource.get("urn")
    if not urn:
        yield f"resource at index {index} missing required 'urn' field"
    if not resource.get("type"):
        yield f"resource '{urn}' missing required 'type' field"
    if not resource.get("custom") and resource.get("id"):
        yield f"resource '{urn}' has 'custom false but non-empty ID"


def _references(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if parent := resource.get("parent"):
        yield "parent", parent
    yield from (("dependency", urn) for urn in resource.get("dependencies") or ())
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from (("property dependency", urn) for urn in urns or ())
    if target := resource.get("deletedWith"):
        yield "deleted with", target


def _dangling(urn: str, kind: str, target: str, *, later: bool) -> str:
    if kind == "parent":
        return (
            f"child resource {urn}'s parent {target} comes after it"
            if later
            else f"child resource {urn} refers to missing parent {target}"
        )
    if kind == "deleted with":
        return f"resource {urn} is specified as being deleted with {target}, which " + (
            "comes after it" if later else "is missing"
        )
    if later:
        return f"resource {urn}'s {kind} {target} comes after it"
    return f"resource {urn} refers to missing {kind} {target}"
