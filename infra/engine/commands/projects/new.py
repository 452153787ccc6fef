"""``pulumi new``: a project of its own, the smallest that delivers something."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.project import stackfile, values, workspace
from infra.engine.state.reference import check_project_name

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

_PROJECT = """\
name: {name}
description: {description}
runtime: python
"""
_PLAIN = """\
\"""A Python Pulumi program.\"""

import pulumi

pulumi.export("project", pulumi.get_project())
"""
_CLOUD_RUN = """\
\"""A Cloud Run service: all traffic to its latest revision, its URL as output.\"""

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()

run = gcp.projects.Service("run", service="run.googleapis.com", disable_on_destroy=False)
service = gcp.cloudrunv2.Service(
    "service",
    location=config.get("location") or "europe-west4",
    template={"containers": [{"image": config.require("image")}]},
    traffics=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
    opts=pulumi.ResourceOptions(depends_on=[run]),
)

pulumi.export("url", service.uri)
"""
_TEMPLATES = {
    "python": ("A minimal Python Pulumi program", _PLAIN, ("pulumi>=3.150",)),
    "cloud-run-python": (
        "A Cloud Run service, all traffic to its latest revision, its URL as output",
        _CLOUD_RUN,
        ("pulumi>=3.150", "pulumi-gcp>=8"),
    ),
}


def new(call: Invocation) -> None:
    """Write a project into an empty folder, and make its first stack."""
    if call.flags["list-templates"]:
        for name, (description, _, _) in _TEMPLATES.items():
            print(f"{name:<20}{description}")
        return
    template = call.words[0] if call.words else "python"
    if template not in _TEMPLATES:
        raise ExitError(
            f"template '{template}' not found: the embedded engine has {', '.join(_TEMPLATES)}; the"
            " Pulumi CLI downloads"
            " others"
        )
    folder = Path(call.flags["dir"] or call.folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    _check_empty(folder, force=call.flags["force"])
    name = _project_name(call, folder)
    description, program, packages = _TEMPLATES[template]
    description = call.flags["description"] or description
    (folder / "Pulumi.yaml").write_text(_PROJECT.format(name=name, description=description), encoding="utf-8")
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    (folder / "requirements.txt").write_text(
        "".join(f"{package}\n" for package in packages), encoding="utf-8"
    )
    print(f"Created project '{name}'\n")
    if not call.flags["generate-only"]:
        _first_stack(call, folder)
    print("Your new project is ready to go!\n\nTo perform an initial deployment, run `pulumi up`")


def _check_empty(folder: Path, *, force: bool) -> None:
    there = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    if there and not force:
        raise ExitError(
            f"{folder} is not empty; use --force to generate there anyway, --dir for another folder, or"
            " an empty one"
        )


def _project_name(call: Invocation, folder: Path) -> str:
    default = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.name) or "project"
    name: str = call.flags["name"]
    if not name and call.interactive and not call.flags["yes"]:
        name = prompts.ask("Project name", default)
    name = name or default
    check_project_name(name)
    return name


def _first_stack(call: Invocation, folder: Path) -> None:
    from infra.engine.commands.stacks.stacks import create

    call.project = call.project_or_none = workspace.load(folder / "Pulumi.yaml")
    name = call.flags["stack"]
    if not name:
        asks = call.interactive and not call.flags["yes"]
        name = prompts.ask("Stack name", "dev") if asks else "dev"
    stack = create(call, name, call.flags["secrets-provider"])
    file = call.stack_file(stack)
    config: Any = dict(file.config)
    for word in call.flags["config"]:
        key, _, value = word.partition("=")
        config[values.parse_key(key, call.project.name)] = value
    stackfile.save(replace(file, config=config), call.project.name)
