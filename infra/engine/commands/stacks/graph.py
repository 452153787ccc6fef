"""``pulumi stack graph``: the dependency graph in Graphviz' language."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def graph(call: Invocation) -> None:
    """Write the graph to a file."""
    deployment = call.backend.read(call.stack).deployment
    if deployment is None:
        raise ExitError("unable to find snapshot for the current stack")
    path = call.words[0]
    try:
        Path(path).write_text(dot(deployment.get("resources") or [], call.flags), encoding="utf-8")
    except OSError as error:
        raise ExitError(f"could not write {path}: {error.strerror}") from error
    print(f"Wrote stack dependency graph to `{path}`", file=sys.stderr)


def dot(resources: list[dict[str, Any]], flags: Mapping[str, Any]) -> str:
    """The graph: an edge runs from what is needed to what needs it, and from a child to its parent."""
    numbers = {resource["urn"]: number for number, resource in enumerate(resources)}
    lines = [flags["dot-fragment"]] if flags["dot-fragment"] else []
    for resource in resources:
        urn = resource["urn"]
        label = urn.split("::")[-1] if flags["short-node-name"] else urn
        lines.append(f"Resource{numbers[urn]} [label={json.dumps(label, ensure_ascii=False)}];")
        if (
            not flags["ignore-parent-edges"]
            and (parent := numbers.get(resource.get("parent", ""))) is not None
        ):
            lines.append(
                f'Resource{numbers[urn]} -> Resource{parent} [color = "{flags["parent-edge-color"]}"];'
            )
        if not flags["ignore-dependency-edges"]:
            color = flags["dependency-edge-color"]
            lines += [
                f'Resource{numbers[urn]} -> Resource{user} [color = "{color}"{label}];'
                for user, label in _users(urn, resources, numbers)
            ]
    return "strict digraph {\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


def _users(urn: str, resources: list[dict[str, Any]], numbers: Mapping[str, int]) -> list[tuple[int, str]]:
    users = []
    for resource in resources:
        if urn in (resource.get("dependencies") or ()):
            properties = resource.get("propertyDependencies") or {}
            names = sorted(key for key, urns in properties.items() if urn in (urns or ()))
            label = f', label = "{", ".join(names)}"' if names else ""
            users.append((numbers[resource["urn"]], label))
    return users
