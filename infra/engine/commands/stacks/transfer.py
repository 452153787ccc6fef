"""``pulumi stack export|import|history``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engine.commands import vaults
from infra.engine.commands.errors import ExitError
from infra.engine.commands.line.text import age, json_text, milliseconds
from infra.engine.commands.projects import configuration
from infra.engine.state import gojson, integrity, serialize
from infra.engine.state.backend import Checkpoint

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def export(call: Invocation) -> None:
    """Print the deployment as it is stored, or with ``--show-secrets`` in plain."""
    stack = call.stack
    if call.flags["version"]:
        raise ExitError(
            f"the current backend ({call.backend.url}) does not provide the ability to export previous"
            " deployments"
        )
    checkpoint = call.backend.read(stack)
    deployment: Any = checkpoint.deployment
    if call.flags["show-secrets"] and deployment is not None:
        vault = vaults.of_deployment(call, stack, deployment)
        deployment, _ = serialize.deployment_json(serialize.parse_deployment(deployment, vault), None)
    document: dict[str, Any] = {"version": checkpoint.version or 3}
    document |= {"features": list(checkpoint.features)} if checkpoint.features else {}
    text = gojson.dumps(document | {"deployment": deployment}, indent=4)
    if call.flags["file"]:
        path = Path(call.flags["file"])
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o600)
    else:
        print(text)


def import_(call: Invocation) -> None:
    """Make a deployment (as exported) the stack's state; secrets in plain are encrypted."""
    stack = call.stack
    source = call.flags["file"]
    try:
        document = json.loads(Path(source).read_bytes() if source else sys.stdin.buffer.read())
        deployment = document["deployment"]
    except OSError as error:
        raise ExitError(f"could not open file: open {source}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExitError(
            f"could not read the deployment: it must be what `pulumi stack export` writes ({error})"
        ) from error
    features = tuple(document.get("features") or ())
    serialize.check_version(document.get("version"), features)
    if deployment is not None:
        _check(call, deployment)
        snapshot = _with_vault(call, deployment)
        vault = vaults.of_deployment(call, stack, snapshot)
        deployment, used = serialize.deployment_json(serialize.parse_deployment(snapshot, vault), vault)
        features = tuple(used)
    with call.backend.locks(stack).hold():
        call.backend.write(stack, Checkpoint.of(deployment, features))
    print("Import complete.")


def _check(call: Invocation, deployment: dict[str, Any]) -> None:
    """Raise ExitError for a deployment of another stack, or a broken one, unless ``--force``."""
    prefix = f"urn:pulumi:{call.stack.name}::"
    faults = [
        f"resource '{resource.get('urn')}' is of another stack than '{call.stack.name}'"
        for resource in deployment.get("resources") or ()
        if not str(resource.get("urn")).startswith(prefix)
    ]
    wrong = integrity.fault(deployment)
    faults += [wrong] if wrong else []
    if faults and not call.flags["force"]:
        listed = "\n".join(f"    {fault}" for fault in faults)
        raise ExitError(
            f"importing this file could be dangerous; rerun with --force to proceed anyway:\n{listed}"
        )


def _with_vault(call: Invocation, deployment: dict[str, Any]) -> dict[str, Any]:
    if deployment.get("secrets_providers"):
        return deployment
    file = call.stack_file(call.stack)
    if not file.encryption_salt:
        return deployment
    provider = {"type": "passphrase", "state": {"salt": file.encryption_salt}}
    ordered = {"manifest": deployment.get("manifest", {}), "secrets_providers": provider}
    return ordered | {name: value for name, value in deployment.items() if name != "manifest"}


def history(call: Invocation) -> None:
    """Tell of the stack's updates, the latest first."""
    updates = call.backend.history(call.stack)
    size, page = call.flags["page-size"], max(1, call.flags["page"])
    if size > 0:
        updates = updates[(page - 1) * size : page * size]
    if call.json:
        print(json_text([_entry(call, update) for update in updates]))
    elif not updates:
        print("Stack has never been updated")
    else:
        for update in updates:
            print(_text(update, full=call.flags["full-dates"]))


def _entry(call: Invocation, update: dict[str, Any]) -> dict[str, Any]:
    decrypt = _decrypter(call) if call.flags["show-secrets"] else None
    config = update.get("config") or {}
    result = {
        "version": update.get("version", 0),
        "kind": update["kind"],
        "startTime": milliseconds(datetime.fromtimestamp(update["startTime"], UTC)),
        "message": update.get("message", ""),
        "environment": update.get("environment") or {},
        "config": {key: configuration.entry(config[key], decrypt) for key in sorted(config)},
        "result": update.get("result", ""),
        "endTime": milliseconds(datetime.fromtimestamp(update["endTime"], UTC)),
    }
    changes = update.get("resourceChanges")
    return result | ({"resourceChanges": dict(sorted(changes.items()))} if changes else {})


def _decrypter(call: Invocation) -> Callable[[str], str]:
    _, vault = vaults.of_file(call, call.stack, call.stack_file(call.stack))
    return lambda ciphertext: vault.decrypt(ciphertext, ciphertext)


def _text(update: dict[str, Any], *, full: bool) -> str:
    changes = update.get("resourceChanges") or {}
    began = datetime.fromtimestamp(update["startTime"], UTC)
    when = began.strftime("%Y-%m-%d %H:%M:%S +0000 UTC") if full else age(began)
    created, deleted, updated, same = (changes.get(op, 0) for op in ("create", "delete", "update", "same"))
    counts = f"+{created}-{deleted}~{updated} {same}"
    seconds = update["endTime"] - update["startTime"]
    environment = update.get("environment") or {}
    lines = [f"    {key}: {environment[key]}" for key in sorted(environment) if environment[key]]
    head = [
        f"Version: {update.get('version', 0)}",
        f"UpdateKind: {update['kind']}",
        f"Status: {update.get('result', '')}",
        f"Message: {update.get('message', '')}",
        f"{counts} Updated {when} took {seconds}s",
    ]
    return "\n".join([*head, *lines]) + "\n"
