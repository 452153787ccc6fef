"""``pulumi version``, ``about``, ``plugin``, ``install`` and ``logs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.version import version_of_engine
from infra.engine.project.errors import ProjectError
from infra.engine.state.errors import StateError

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

SERVED = frozenset({"command", "gcp", "pulumi", "pulumi-python", "random"})


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


def plugins(call: Invocation) -> None:
    """List the provider plugins that are installed in Pulumi's folder; those of this engine need none."""
    from infra.engine.commands.line.text import json_text, table

    folder = call.home.folder / "plugins"
    found = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    parts = [
        (name.split("-", 1)[1].rpartition("-v"), name.split("-", 1)[0]) for name in found if "-v" in name
    ]
    entries = [{"name": name, "kind": kind, "version": version} for (name, _, version), kind in parts]
    if call.json:
        print(json_text(entries))
        return
    rows = [(entry["name"], entry["kind"], entry["version"]) for entry in entries]
    print(table(("NAME", "KIND", "VERSION"), rows))
    print(f"\nTOTAL plugins: {len(entries)}")


def plugin_install(call: Invocation) -> None:
    """Accept the packages that the engine serves itself; others are not downloaded. Raises ExitError."""
    if not call.words or call.words[0] == "language" or len(call.words) < 2:
        return
    name = call.words[1]
    if name in SERVED:
        print(f"{name} is served by the embedded engine itself: nothing to install")
        return
    raise ExitError(
        f"the embedded engine downloads no plugins: put pulumi-resource-{name} on PATH or into"
        f" {call.home.folder}/plugins, or install the Pulumi CLI"
    )


def plugin_remove(_call: Invocation) -> None:
    """Refuse: plugins are not this engine's."""
    raise ExitError("the embedded engine installs no plugins, and removes none: see ~/.pulumi/plugins")


def install(_call: Invocation) -> None:
    """Say that there is nothing to install: the program's packages are those of its environment."""
    print(
        "Nothing to install: the program runs in its own environment, and the engine's providers are"
        " built in."
    )


def logs(call: Invocation) -> None:
    """Say where the logs of what the stack runs are."""
    stack = call.stack
    outputs = (call.backend.read(stack).deployment or {}).get("resources") or []
    services = [resource for resource in outputs if "cloudrun" in resource["type"].lower()]
    print(
        f"The embedded engine collects no logs. Stack {call.shown(stack)} has them where its resources run:"
    )
    for resource in services:
        print(
            f"    {resource['urn'].split('::')[-1]}: Cloud Logging, "
            f'resource.labels.service_name="{resource.get("outputs", {}).get("name", "?")}"'
        )
    print(
        "    what the engine itself did is in `pulumi stack history`; --logtostderr -v=9 of an operation"
        " shows more"
    )
