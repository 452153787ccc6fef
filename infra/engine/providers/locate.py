"""Where provider plugins are: ``pulumi-resource-NAME`` in Pulumi's plugin folder or on PATH."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path


def home() -> Path:
    """Pulumi's folder of the user: PULUMI_HOME, or ``~/.pulumi``."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def plugin(name: str, version: str) -> Path | None:
    """The program that serves package ``name``: the version asked for, else the newest at hand.

    None if there is none.
    """
    program = f"pulumi-resource-{name}"
    folder = home() / "plugins"
    candidates: dict[tuple[int, ...], Path] = {}
    for entry in folder.glob(f"resource-{name}-v*"):
        found = entry / program
        if os.access(found, os.X_OK):
            candidates[_number(entry.name.removeprefix(f"resource-{name}-v"))] = found
    if version and (exact := candidates.get(_number(version))) is not None:
        return exact
    if on_path := shutil.which(program):
        return Path(on_path)
    if version:
        wanted = _number(version)
        candidates = {number: path for number, path in candidates.items() if number >= wanted}
    return candidates[max(candidates)] if candidates else None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
