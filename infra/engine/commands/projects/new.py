"""``pulumi new``: a project of its own, the smallest that delivers something."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from infra.engine.commands import vaults
from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.project import stackfile, template, values, workspace
from infra.engine.project.template import Template
from infra.engine.state.reference import check_project_name

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

_PROJECT = """\
name: ${PROJECT}
description: ${DESCRIPTION}
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
    if call.flags["stack"] and call.flags["generate-only"]:
        raise ExitError("cannot use --stack and --generate-only together")
    word = call.words[0] if call.words else "python"
    with ExitStack() as kept:
        chosen = _template(word, kept)
        folder = Path(call.flags["dir"] or call.folder).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        _check_empty(folder, chosen, force=call.flags["force"])
        name = _project_name(call, folder)
        description = call.flags["description"] or _ask(call, "Project description", chosen.description)
        chosen.copy(folder, name, description)
        print(f"Created project '{name}'\n")
        if not call.flags["generate-only"]:
            _first_stack(call, folder, chosen)
    print("Your new project is ready to go!\n\nTo perform an initial deployment, run `pulumi up`")


def _template(word: str, kept: ExitStack) -> Template:
    """The template that ``word`` names: one of the engine's own, or a folder. Raises ExitError."""
    if word in _TEMPLATES:
        temporary = TemporaryDirectory(prefix="pulumi-template-")  # pylint: disable=consider-using-with
        folder = Path(kept.enter_context(temporary), word)
        folder.mkdir()
        description, program, packages = _TEMPLATES[word]
        (folder / "Pulumi.yaml").write_text(f"{_PROJECT}template:\n  description: {description}\n", "utf-8")
        (folder / "__main__.py").write_text(program, "utf-8")
        (folder / "requirements.txt").write_text("".join(f"{each}\n" for each in packages), "utf-8")
        return template.load(folder)
    if Path(word).is_dir():
        return template.load(Path(word))
    if "://" in word or word.startswith("git@") or word.count("/") > 1:
        raise ExitError(
            f"the embedded engine downloads no templates: clone {word}, and give the folder to `pulumi new`;"
            " or install the Pulumi CLI"
        )
    raise ExitError(
        f"template '{word}' not found: it may be {', '.join(_TEMPLATES)} or a folder with a template; the"
        " Pulumi CLI downloads others"
    )


def _check_empty(folder: Path, chosen: Template, *, force: bool) -> None:
    if force:
        return
    there = chosen.collisions(folder) or [each.name for each in folder.iterdir() if each.name[0] != "."]
    if there:
        raise ExitError(
            f"{folder} is not empty ({', '.join(sorted(there)[:3])}); use --force to generate there anyway,"
            " --dir for another folder, or an empty one"
        )


def _ask(call: Invocation, question: str, default: str) -> str:
    asks = call.interactive and not call.flags["yes"]
    return prompts.ask(question, default) if asks else default


def _project_name(call: Invocation, folder: Path) -> str:
    default = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.name) or "project"
    name: str = call.flags["name"] or _ask(call, "Project name", default)
    check_project_name(name)
    return name


def _first_stack(call: Invocation, folder: Path, chosen: Template) -> None:
    from infra.engine.commands.stacks.stacks import create

    call.project = call.project_or_none = workspace.load(folder / "Pulumi.yaml")
    name = call.flags["stack"] or _ask(call, "Stack name", "dev")
    stack = call.reference(name)
    if call.backend.exists(stack):
        call.select(stack)
    else:
        create(call, name, call.flags["secrets-provider"])
    file = call.stack_file(stack)
    file, vault = vaults.of_file(call, stack, file)
    config: Any = dict(file.config)
    given = values.given({}, call.flags["config"], call.project.name, paths=call.flags["config-path"])
    for key, setting in chosen.settings.items():
        full = values.parse_key(key, call.project.name)
        about = f"{key}: {setting.description}" if setting.description else key
        if full not in given and (text := _ask(call, about, setting.default)):
            config[full] = {"secure": vault.crypter.encrypt(text)} if setting.secret else text
    stackfile.save(replace(file, config=config | given), call.project.name)
