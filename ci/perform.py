"""The stages of a request on a connected Dagger engine. Imports the SDK, which is slow: see ci/execute.py."""

import os
import shlex
from collections.abc import Sequence

import dagger
from rich.console import Console

from ci import artifacts, runner
from ci.graph import Stage
from ci.report import terminal
from ci.report.failure import describe
from ci.report.model import StageReport
from ci.request import Request
from ci.runner import Outcome, Status
from ci.session import NoSession
from ci.stages.base import base_image
from ci.stages.delivery import Delivery, to_google, to_local
from ci.stages.downloads import from_host
from ci.stages.project import Project, on_host
from ci.stages.result import Result, StageFailed
from ci.target import PASSPHRASE, TOKEN, Addresses


async def perform(
    request: Request, console: Console, started: float, addresses: Addresses | None = None
) -> tuple[Sequence[StageReport], dict[str, str]]:
    """Run the plan's stages and export what they made; ``started`` is the run's start, since the epoch.

    ``addresses`` are those of the cloud on this machine, when that is where the plan delivers to.

    Returns how each stage ended, and artifact -> path.

    Raises:
        NoSession: the engine cannot be reached.
    """
    try:
        async with dagger.connection():
            return await _perform(request, console, started, addresses)
    except dagger.ClientConnectionError as error:
        raise NoSession(f"{error}. Is the engine still running?") from None


async def _perform(
    request: Request, console: Console, started: float, addresses: Addresses | None
) -> tuple[Sequence[StageReport], dict[str, str]]:
    project = Project(
        select=on_host(request.root),
        base=base_image(request.base_image),
        downloads=from_host(request.host),
        settings=request.settings,
        target=_delivery(request, addresses),
    )

    async def attempt(stage: Stage) -> Result:
        result: Result = await stage.load()(project)
        return result

    def observe(stage: Stage, outcome: Outcome[Result] | None) -> None:
        if outcome is None:
            terminal.begin(console, stage.name)
        else:
            terminal.end(console, _report(request, stage, outcome, started))

    outcomes = await runner.run(request.plan, attempt, fail_fast=request.fail_fast, observe=observe)
    reports = [_report(request, stage, outcomes[stage.name], started) for stage in request.plan.run]
    if request.output is None:
        return reports, {}
    made = {
        path: artifact
        for outcome in outcomes.values()
        if outcome.value
        for path, artifact in outcome.value.artifacts.items()
    }
    return reports, await artifacts.export(made, request.output)


def _delivery(request: Request, addresses: Addresses | None) -> Delivery | None:
    if not request.plan.delivers:
        return None
    # Stacks of the cloud on this machine have no secret of anybody's unless somebody gives them a passphrase.
    given = f"env://{PASSPHRASE}" if os.environ.get(PASSPHRASE) else ""
    passphrase = dagger.dag.secret(given) if given else dagger.dag.set_secret("shipway-no-passphrase", "")
    if addresses is None:
        token = dagger.dag.secret(f"env://{TOKEN}")
        return to_google(request.settings.deploy, request.target, token, passphrase)
    return to_local(request.settings.deploy, request.target, addresses, passphrase)


def _report(request: Request, stage: Stage, outcome: Outcome[Result], started: float) -> StageReport:
    facts = outcome.value.facts if outcome.value else {}
    failure = None
    if outcome.error is not None:
        again = ["python", "ci/main.py", "--only", stage.name, *request.options]
        failure = describe(outcome.error, shlex.join(again))
        if isinstance(outcome.error, StageFailed):
            facts = outcome.error.facts
    return StageReport(
        name=stage.name,
        summary=stage.summary,
        status=str(outcome.status),
        seconds=outcome.seconds,
        cached=outcome.value.cached(started) if outcome.status is Status.PASSED and outcome.value else None,
        because=outcome.because,
        facts=facts,
        failure=failure,
    )
