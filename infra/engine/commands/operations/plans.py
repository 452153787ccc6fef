"""Update plans in files.

What ``preview --save-plan`` writes and ``up --plan`` holds to (apitype.DeploymentPlanV1).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.state import gojson, serialize
from infra.engine.state.model import timestamp
from infra.engine.state.properties import Cipher, decode_all, encode
from infra.engine.state.secrets import Vault

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.commands.session import Session
    from infra.engine.deploy.contract import Goal, Outcome, Plan, ResourcePlan


def write(path: str, outcome: Outcome, session: Session, *, show_secrets: bool) -> None:
    """Write the plan of a preview.

    Its secrets are encrypted as the stack's are, unless they are to be shown.
    """
    from infra.engine.commands.version import version_of_engine

    if outcome.plan is None:
        raise ExitError("the preview made no plan")
    cipher = None if show_secrets else session.vault
    document: dict[str, Any] = {"manifest": serialize.manifest_json(timestamp(), version_of_engine())}
    if session.file.config:
        document["config"] = {key: session.file.config[key] for key in sorted(session.file.config)}
    document["resourcePlans"] = {
        urn: _resource(outcome.plan.resources[urn], cipher, urn) for urn in sorted(outcome.plan.resources)
    }
    try:
        Path(path).write_text(gojson.dumps(document, indent=4) + "\n", encoding="utf-8")
        Path(path).chmod(0o600)
    except OSError as error:
        raise ExitError(f"could not write the plan {path}: {error.strerror}") from error


def _resource(plan: ResourcePlan, cipher: Cipher | None, place: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if plan.goal is not None:
        result["goal"] = _goal(plan.goal, cipher, place)
    result["steps"] = [str(step) for step in plan.steps]
    result["state"] = encode(plan.outputs, cipher, f"{place} plan")
    if plan.seed:
        result["seed"] = base64.b64encode(plan.seed).decode()
    return result


def _goal(goal: Goal, cipher: Cipher | None, place: str) -> dict[str, Any]:
    def difference(adds: Any, deletes: tuple[str, ...], updates: Any, kind: str) -> dict[str, Any]:
        parts = {
            "adds": encode(adds, cipher, f"{place} {kind} adds"),
            "deletes": list(deletes),
            "updates": encode(updates, cipher, f"{place} {kind} updates"),
        }
        return {name: part for name, part in parts.items() if part}

    optional = {
        "dependencies": list(goal.dependencies),
        "provider": goal.provider,
        "propertyDependencies": {key: list(urns) for key, urns in sorted(goal.property_dependencies.items())},
        "deleteBeforeReplace": goal.delete_before_replace,
        "ignoreChanges": list(goal.ignore_changes),
        "additionalSecretOutputs": list(goal.additional_secret_outputs),
        "aliases": list(goal.aliases),
        "id": goal.id,
    }
    result: dict[str, Any] = {
        "type": goal.type,
        "name": goal.name,
        "custom": goal.custom,
        "inputDiff": difference(goal.adds, goal.deletes, goal.updates, "inputs"),
        "outputDiff": difference(goal.output_adds, goal.output_deletes, goal.output_updates, "outputs"),
    }
    result |= {"parent": goal.parent} if goal.parent else {}
    result["protect"] = goal.protect
    result |= {name: value for name, value in optional.items() if value not in ("", [], {}, None)}
    return result | {"customTimeouts": dict(goal.custom_timeouts)}


def read(call: Invocation) -> Plan:
    """The plan that ``--plan`` names. Raises ExitError for a file that is none."""
    from infra.engine.commands import vaults
    from infra.engine.deploy.contract import Plan

    path = call.flags["plan"]
    try:
        document = json.loads(Path(path).read_bytes())
        resources = document["resourcePlans"]
    except OSError as error:
        raise ExitError(f"open {path}: {str(error.strerror).lower()}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExitError(
            f"{path} is no update plan: make one with `pulumi preview --save-plan={path}`"
        ) from error
    _, vault = vaults.of_file(call, call.stack, call.stack_file(call.stack))
    plans = {urn: _parse_resource(resources[urn], vault, urn) for urn in resources}
    config = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (document.get("config") or {}).items()
    }
    return Plan(plans, config)


def _parse_resource(value: Mapping[str, Any], vault: Vault, place: str) -> ResourcePlan:
    from infra.engine.deploy.contract import Op, ResourcePlan

    goal = value.get("goal")
    return ResourcePlan(
        None if goal is None else _parse_goal(goal, vault, place),
        tuple(Op(step) for step in value.get("steps") or ()),
        decode_all(value.get("state"), vault, f"{place} plan"),
        base64.b64decode(value.get("seed") or ""),
    )


def _parse_goal(value: Mapping[str, Any], vault: Vault, place: str) -> Goal:
    from infra.engine.deploy.contract import Goal

    inputs, outputs = value.get("inputDiff") or {}, value.get("outputDiff") or {}
    return Goal(
        type=value["type"],
        name=value["name"],
        custom=value["custom"],
        adds=decode_all(inputs.get("adds"), vault, f"{place} inputs adds"),
        deletes=tuple(inputs.get("deletes") or ()),
        updates=decode_all(inputs.get("updates"), vault, f"{place} inputs updates"),
        output_adds=decode_all(outputs.get("adds"), vault, f"{place} outputs adds"),
        output_deletes=tuple(outputs.get("deletes") or ()),
        output_updates=decode_all(outputs.get("updates"), vault, f"{place} outputs updates"),
        parent=value.get("parent", ""),
        protect=value.get("protect", False),
        dependencies=tuple(value.get("dependencies") or ()),
        provider=value.get("provider", ""),
        property_dependencies={
            key: tuple(urns or ()) for key, urns in (value.get("propertyDependencies") or {}).items()
        },
        delete_before_replace=value.get("deleteBeforeReplace"),
        ignore_changes=tuple(value.get("ignoreChanges") or ()),
        additional_secret_outputs=tuple(value.get("additionalSecretOutputs") or ()),
        aliases=tuple(value.get("aliases") or ()),
        id=value.get("id", ""),
        custom_timeouts=value.get("customTimeouts") or {},
    )
