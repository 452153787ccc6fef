"""One operation on one stack, from beginning to end: preview, update, refresh, destroy or import."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import anyio

from infra.engine.deploy.contract import Emit, Journal, Kind, Outcome, PreviewOf, UpdateRequest
from infra.engine.deploy.deployment import Deployment
from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.deploy.operations.deletes import Deletes, check_targets
from infra.engine.deploy.operations.importer import Importer
from infra.engine.deploy.operations.pending import mend
from infra.engine.deploy.operations.refresh import Refresh
from infra.engine.deploy.operations.rehearsal import Rehearsal
from infra.engine.deploy.steps.report import Report
from infra.engine.protocol.server import Servers
from infra.engine.providers.contract import ProviderError
from infra.engine.providers.packages import Packages
from infra.engine.state.model import Snapshot


async def update(
    request: UpdateRequest, journal: Journal, emit: Emit, interrupt: anyio.Event | None = None
) -> Outcome:
    """Run ``request``; setting ``interrupt`` asks it to stop gracefully, cancelling it stops it at once.

    What goes wrong is told by events and by the outcome; an exception is a bug.
    """
    started = time.monotonic()
    kind = _kind(request)
    report = Report(
        emit,
        planning=request.kind == "preview",
        show_secrets=request.show_secrets,
        refresh_counts=kind == "refresh",
    )
    secret = dict.fromkeys(request.secret_config, "[secret]")
    report.prelude({**request.config, **secret, **request.blinded_config})
    packages = Packages(request)
    deployment = Deployment(request, journal, report, packages.load)
    packages.serve_state(deployment)
    async with _closing(deployment), Servers(deployment) as servers, _interruptible(deployment, interrupt):
        packages.engine_address = servers.address
        try:
            await _operate(deployment, servers, kind)
        except StoppedError:
            pass
        except (DeploymentError, ProviderError) as error:
            deployment.fail(error)
        await servers.finish_program()
        await _finish(deployment)
    return _outcome(deployment, interrupt, time.monotonic() - started)


def _kind(request: UpdateRequest) -> Kind | PreviewOf:
    return request.preview_of if request.kind == "preview" else request.kind


@asynccontextmanager
async def _closing(deployment: Deployment) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await deployment.registry.close()


@asynccontextmanager
async def _interruptible(deployment: Deployment, interrupt: anyio.Event | None) -> AsyncIterator[None]:
    """Have ``interrupt`` stop the deployment, and its providers give up as soon as they can."""
    if interrupt is None:
        yield
        return

    async def watch(event: anyio.Event) -> None:
        await event.wait()
        deployment.stop()
        await deployment.registry.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, interrupt)
        yield
        group.cancel_scope.cancel()


async def _operate(deployment: Deployment, servers: Servers, kind: Kind | PreviewOf) -> None:
    request = deployment.request
    if kind in {"refresh", "destroy"} or request.refresh:
        check_targets(deployment, deployment.scope.targets)
        check_targets(deployment, deployment.scope.excludes)
    await mend(deployment)
    if kind == "import":
        await Importer(deployment, servers.defaults).run()
        return
    if request.run_program and kind in {"refresh", "destroy"}:
        deployment.rehearsal = Rehearsal(deployment)
        await servers.run_program()
        deployment.rehearsal = None
        if deployment.stopped.is_set():
            return
    if kind == "refresh" or request.refresh:
        await _refresh(deployment, only_before_update=False)
        if kind == "refresh" or deployment.failed:
            return
    elif any(resource.refresh_before_update for resource in deployment.ledger.found()):
        await _refresh(deployment, only_before_update=True)
    if kind == "destroy" and not request.run_program:
        _no_delete_hooks(deployment)
    if kind != "destroy":
        check_targets(deployment, deployment.scope.replaces)
        await servers.run_program()
    if deployment.stopped.is_set():
        return
    if kind != "destroy":
        check_targets(deployment, deployment.scope.targets)
    await Deletes(deployment).run()


async def _refresh(deployment: Deployment, only_before_update: bool) -> None:
    await Refresh(deployment).run(only_before_update)
    if deployment.preview:
        return
    snapshot = deployment.request.snapshot or Snapshot()
    pending = tuple(each for each in deployment.unsettled if each.type == "creating")
    await deployment.journal.rewrite(
        replace(snapshot, resources=tuple(deployment.ledger.found()), pending_operations=pending)
    )


def _no_delete_hooks(deployment: Deployment) -> None:
    refused = False
    for resource in deployment.ledger.found():
        names = [
            name for kind in ("BeforeDelete", "AfterDelete") for name in resource.resource_hooks.get(kind, ())
        ]
        if names:
            refused = True
            deployment.report.error(
                "Resource has delete hooks registered, but the program is not running. "
                f"Hooks: {', '.join(names)}",
                resource.urn,
            )
    if refused:
        raise DeploymentError(
            "You must run with the `--run-program` flag to use delete hooks during destroy."
        )


async def _finish(deployment: Deployment) -> None:
    """Write down what is left to be: the stack's outputs, the policies' word on the whole, the plan's."""
    await deployment.finish_stack(deployment.failed or deployment.stopped.is_set())
    if deployment.failed or deployment.stopped.is_set():
        return
    present = (resource.urn for resource in deployment.ledger.found())
    for urn in deployment.constraints.unmet(present):
        error = DeploymentError(f"expected resource operations for {urn} but none were seen", urn)
        deployment.fail(error)
    await deployment.analyze_stack()


def _outcome(deployment: Deployment, interrupt: anyio.Event | None, seconds: float) -> Outcome:
    request, report = deployment.request, deployment.report
    what = "preview" if deployment.preview else "update"
    result: Literal["succeeded", "failed", "cancelled"] = "succeeded"
    error = ""
    if deployment.failed:
        result = "failed"
        if not deployment.bailed:
            error = f"{what} failed"
    elif interrupt is not None and interrupt.is_set():
        result, error = "cancelled", f"{what} canceled"
    if error:
        report.error(error)
    report.summary(seconds, "canceled" if result == "cancelled" else result)
    snapshot = replace(
        request.snapshot or Snapshot(),
        resources=tuple(deployment.ledger.resources()),
        pending_operations=deployment.unsettled,
    )
    plan = deployment.constraints.recorded
    if plan is not None:
        plan = replace(plan, config=dict(request.config))
    return Outcome(result, dict(report.changes), snapshot, seconds, error, plan)
