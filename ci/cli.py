"""The command line of the pipeline: what a person asks for, checked before anything is started."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ci import host_settings, settings
from ci.graph import Plan, UnknownStage
from ci.pipeline import PIPELINE
from ci.report import terminal
from ci.request import ARCHIVE, BadBaseImage, Request, check_base_image
from ci.target import ENVIRONMENTS, GOOGLE, LOCAL, TOKEN, BadTarget, Target, check, commit, state

ROOT = Path(__file__).resolve().parent.parent
USAGE = 2


STAGES = "\n".join(
    f"  {stage.name:<11} {stage.summary}{'' if stage.default else ' (only when named)'}" for stage in PIPELINE
)
EPILOG = f"""[bold]Stages[/]

{STAGES}

[bold]Exit code[/]

  0    everything passed
  1    a stage failed
  2    the request or a configuration cannot be meant
  3    the engine or the machine could not do it
  130  interrupted

[bold]Examples[/]

  python ci/main.py                          every stage
  python ci/main.py smoke --plan             what would run for one stage
  python ci/main.py verify --env acceptance  everything up to a running service there
  python ci/main.py --only lint --only test  these two, without what they need
"""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog=EPILOG)
def run(  # pylint: disable=too-many-positional-arguments  # typer reads them as options
    stages: Annotated[
        list[str] | None,
        typer.Argument(help="Stages to run, with those that they need. Default: all.", show_default=False),
    ] = None,
    python: Annotated[str, typer.Option(help="Python version in the containers.")] = "3.11",
    base_image: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help=f"Base image, a reference or {ARCHIVE}PATH. Default: python:VERSION-slim.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STAGE", help="Run just this stage. Repeatable.")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="STAGE", help="Leave this stage out. Repeatable.")
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Cancel everything at the first failure.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print the graph and what would run, and stop.")
    ] = False,
    env: Annotated[
        str, typer.Option(metavar="ENV", help=f"Environment to deliver to: {', '.join(ENVIRONMENTS)}.")
    ] = "staging",
    cloud: Annotated[
        str,
        typer.Option(
            help="Cloud to deliver to: local, on this machine, started when it is not up; or google."
        ),
    ] = LOCAL,
    approved: Annotated[
        Path | None,
        typer.Option(
            metavar="PLAN", help="Carry out this plan of `preview` and nothing else.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Export artifacts and the report to this folder.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out the steps' own output.")] = False,
) -> None:
    """Run the delivery pipeline: on a Dagger engine where there is one, else on the embedded one."""
    console = Console()
    try:
        project = settings.read(ROOT / "pyproject.toml")
        chosen = choose(stages or [], only or [], skip or [])
        if plan:
            terminal.show_plan(console, PIPELINE, chosen)
            return
        request = Request(
            root=ROOT,
            plan=chosen,
            base_image=check_base_image(base_image, python),
            settings=project,
            host=host_settings.read(os.environ),
            fail_fast=fail_fast,
            output=output,
            quiet=quiet,
            options=tuple(repeat(python=python, base_image=base_image, env=env, cloud=cloud)),
            target=asked(env, cloud, approved, chosen, os.environ),
        )
    except (
        UnknownStage,
        BadUsage,
        BadTarget,
        BadBaseImage,
        settings.BadConfiguration,
        host_settings.BadHostSetting,
    ) as error:
        print(f"shipway: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    from ci.execute import execute

    raise typer.Exit(int(execute(request, console)))


class BadUsage(Exception):
    """Options that contradict each other; the text says which."""


def choose(names: list[str], only: list[str], skip: list[str]) -> Plan:
    """What is to run.

    Raises:
        UnknownStage: a name is not a stage's.
        BadUsage: the options contradict each other, or leave nothing to run.
    """
    if names and only:
        raise BadUsage(
            "Give stage names or --only, not both: names bring what they need along, --only doesn't."
        )
    plan = PIPELINE.plan(names, only=only, skip=skip)
    if not plan.run:
        raise BadUsage("Nothing is left to run: every stage asked for is also skipped.")
    return plan


def asked(env: str, cloud: str, approved: Path | None, plan: Plan, environ: Mapping[str, str]) -> Target:
    """Where to deliver to.

    Raises:
        BadTarget: there is no such environment or cloud, or what delivering there needs is missing.
    """
    check(env, cloud)
    if cloud == GOOGLE and plan.delivers and not environ.get(TOKEN):
        raise BadTarget(
            f"--cloud google needs the variable {TOKEN}. `gcloud auth print-access-token` prints one."
        )
    if approved is not None and not approved.is_file():
        raise BadTarget(
            f"--approved: there is no file {approved}. `python ci/main.py preview --output DIR` writes one."
        )
    kept = state(environ) if plan.delivers else None
    return Target(env, cloud, commit(ROOT), kept, approved.absolute() if approved else None)


def repeat(**options: str | None) -> list[str]:
    """The options that a stage run again by itself needs to be given again: those that are not as usual."""
    usual = {"python": "3.11", "base_image": None, "env": "staging", "cloud": LOCAL}
    return [
        word
        for name, value in options.items()
        if value is not None and value != usual[name]
        for word in (f"--{name.replace('_', '-')}", value)
    ]
