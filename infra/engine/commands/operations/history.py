"""One update as the history keeps it (backend.UpdateInfo)."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.commands.session import Session
    from infra.engine.deploy.contract import Outcome

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def entry(call: Invocation, session: Session, kind: str, started: int, outcome: Outcome) -> dict[str, Any]:
    """The entry for an update that is over."""
    result = {
        "kind": kind,
        "startTime": started,
        "message": call.flags.get("message") or "",
        "environment": _environment(call),
        "config": {key: session.file.config[key] for key in sorted(session.file.config)},
        "version": 0,
        "result": "succeeded" if outcome.result == "succeeded" else "failed",
        "endTime": int(time.time()),
    }
    changes = {str(op): count for op, count in sorted(outcome.changes.items()) if count}
    return result | ({"resourceChanges": changes} if changes else {})


def _environment(call: Invocation) -> dict[str, str]:
    from infra.engine.commands.version import version_of_engine

    known = {
        "exec.kind": call.flags.get("exec-kind") or "cli",
        "pulumi.arch": _MACHINES.get(platform.machine(), platform.machine()),
        "pulumi.os": os.uname().sysname.lower(),
        "pulumi.version": version_of_engine(),
        "runtime.name": call.project.runtime,
        "stack.environments": "[]",
        "updatePlan": str(bool(call.flags.get("plan"))).lower(),
    }
    flags = {f"pulumi.flag.{name}": "true" for name in call.given if isinstance(call.flags[name], bool)}
    return dict(sorted((known | flags).items()))
