"""Runs a plan: independent stages side by side, a failure stopping only what depends on it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import anyio

from ci.graph import Plan, Stage

T = TypeVar("T")


class Status(StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How one stage ended: its value when it passed, its error when it failed, or why it was cancelled."""

    status: Status
    seconds: float = 0.0
    value: T | None = None
    error: Exception | None = None
    because: str = ""


#: Told that a stage began (no outcome yet) or ended.
Observer = Callable[[Stage, Outcome[T] | None], None]


def _unobserved(_stage: Stage, _outcome: object) -> None:
    """Watch nothing."""


async def run(
    plan: Plan,
    perform: Callable[[Stage], Awaitable[T]],
    *,
    fail_fast: bool = False,
    observe: Observer[T] = _unobserved,
) -> dict[str, Outcome[T]]:
    """Run every stage of the plan as soon as what it needs has passed.

    A stage that raises has failed; those that depend on it are cancelled, the others go on. With
    ``fail_fast`` the first failure cancels everything else, also what is under way. The outcomes are in
    the plan's order. Cancellation from outside is passed on.
    """
    outcomes: dict[str, Outcome[T]] = {}
    ended = {stage.name: anyio.Event() for stage in plan.run}

    def end(stage: Stage, outcome: Outcome[T]) -> None:
        outcomes[stage.name] = outcome
        ended[stage.name].set()
        observe(stage, outcome)

    async def attempt(stage: Stage) -> Outcome[T]:
        started = time.monotonic()
        try:
            value = await perform(stage)
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
            # Whatever a stage raises is that stage's failure, and must not take the others with it.
            return Outcome(Status.FAILED, time.monotonic() - started, error=error)
        return Outcome(Status.PASSED, time.monotonic() - started, value=value)

    async def follow(stage: Stage) -> None:
        for need in plan.needs(stage):
            await ended[need].wait()
        if missing := [need for need in plan.needs(stage) if outcomes[need].status is not Status.PASSED]:
            end(stage, Outcome(Status.CANCELLED, because=f"needs {' and '.join(missing)}"))
            return
        observe(stage, None)
        outcome = await attempt(stage)
        end(stage, outcome)
        if fail_fast and outcome.status is Status.FAILED:
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for stage in plan.run:
            tasks.start_soon(follow, stage, name=stage.name)

    for stage in plan.run:
        if stage.name not in outcomes:
            end(stage, Outcome(Status.CANCELLED, because="another stage failed (--fail-fast)"))
    return {stage.name: outcomes[stage.name] for stage in plan.run}
