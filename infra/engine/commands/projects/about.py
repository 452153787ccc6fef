"""``pulumi version``, ``about`` and ``install``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.version import version_of_engine
from infra.engine.project.errors import ProjectError
from infra.engine.state.errors import StateError

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def version(_call: Invocation) -> None:
    """Print the version of Pulumi that is spoken here."""
    print(version_of_engine())


def about(call: Invocation) -> None:
    """Tell of this engine, the host, the project, the backend and the stack: what a bug report needs."""
    import platform

    from infra.engine.commands.line.text import json_text, table

    host = platform.freedesktop_os_release() if hasattr(platform, "freedesktop_os_release") else {}
    facts: dict[str, Any] = {
        "cliAbout": {"version": version_of_engine(), "goVersion": "", "goCompiler": "embedded"},
        "host": {
            "os": host.get("ID", platform.system().lower()),
            "version": host.get("VERSION_ID", platform.release()),
            "arch": platform.machine(),
        },
        "plugins": [],
        "errors": [],
    }
    for name, describe in (("backend", _backend), ("currentStack", _stack), ("runtime", _runtime)):
        try:
            facts[name] = describe(call)
        except (ExitError, StateError, ProjectError) as problem:
            facts["errors"].append(str(problem))
    if call.json:
        print(json_text(facts))
        return
    print(table(("CLI", ""), [("Version", version_of_engine()), ("Engine", call.choice.reason)]))
    print()
    print(table(("Host", ""), [(key.capitalize(), value) for key, value in facts["host"].items()]))
    if runtime := facts.get("runtime"):
        described = " ".join(f"{key}='{value}'" for key, value in runtime.items() if key != "language")
        print(f"\nThis project is written in {runtime['language']}: {described}")
    if stack := facts.get("currentStack"):
        print(f"\nCurrent Stack: {stack['fullyQualifiedName']}\n")
        print(table(("TYPE", "URN"), [(entry["type"], entry["urn"]) for entry in stack["resources"]]))
        print(f"\nPending operations: {len(stack['pendingOps'])}")
    if backend := facts.get("backend"):
        rows = [(key.capitalize() if key != "url" else "URL", value or "") for key, value in backend.items()]
        print("\n" + table(("Backend", ""), rows))
    for error in facts["errors"]:
        print(f"\nwarning: {error}")


def _backend(call: Invocation) -> dict[str, Any]:
    import getpass
    import socket

    return {
        "name": socket.gethostname(),
        "url": call.backend.url,
        "user": getpass.getuser(),
        "organizations": None,
    }


def _stack(call: Invocation) -> dict[str, Any]:
    deployment = call.backend.read(call.stack).deployment or {}
    pending = deployment.get("pending_operations") or ()
    return {
        "name": call.stack.name,
        "fullyQualifiedName": call.stack.qualified,
        "resources": [
            {"type": resource["type"], "urn": resource["urn"]}
            for resource in deployment.get("resources") or ()
        ],
        "pendingOps": [
            {"type": operation["type"], "urn": operation["resource"]["urn"]} for operation in pending
        ],
    }


def _runtime(call: Invocation) -> dict[str, Any]:
    import sys

    return {"language": call.project.runtime, "executable": sys.executable, "version": sys.version.split()[0]}


def install(_call: Invocation) -> None:
    """Say that there is nothing to install: the program's packages are those of its environment."""
    print(
        "Nothing to install: the program runs in its own environment, and the engine's providers are"
        " built in."
    )
