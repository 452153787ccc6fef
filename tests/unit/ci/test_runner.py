"""Independent stages run side by side; a failure stops only what depends on it."""

import anyio
import pytest

from ci.graph import Graph, Stage
from ci.runner import Status, run

pytestmark = pytest.mark.anyio


def graph(**needs):
    return Graph(Stage(name, name, f"nowhere:{name}", tuple(wanted)) for name, wanted in needs.items())


DIAMOND = graph(train=[], lint=[], gate=["train"], build=["gate"])


def statuses(outcomes):
    return {name: str(outcome.status) for name, outcome in outcomes.items()}


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_values_are_handed_back_in_the_plans_order():
    async def perform(stage):
        return stage.name.upper()

    outcomes = await run(DIAMOND.plan(), perform)
    assert [(name, outcome.value) for name, outcome in outcomes.items()] == [
        ("train", "TRAIN"),
        ("lint", "LINT"),
        ("gate", "GATE"),
        ("build", "BUILD"),
    ]


async def test_independent_stages_are_under_way_at_the_same_time():
    both = {"train": anyio.Event(), "lint": anyio.Event()}

    async def perform(stage):
        both[stage.name].set()
        with anyio.fail_after(5):
            for event in both.values():
                await event.wait()

    outcomes = await run(DIAMOND.plan(only=["train", "lint"]), perform)
    assert set(statuses(outcomes).values()) == {"passed"}


async def test_a_stage_begins_after_what_it_needs_has_ended():
    order = []

    async def perform(stage):
        order.append(stage.name)

    await run(DIAMOND.plan(["build"]), perform)
    assert order == ["train", "gate", "build"]


async def test_a_failure_cancels_what_depends_on_it_and_lets_the_others_finish():
    failed = anyio.Event()

    async def perform(stage):
        if stage.name == "train":
            failed.set()
            raise RuntimeError("no data")
        if stage.name == "lint":
            await failed.wait()
            await anyio.lowlevel.checkpoint()
        return "fine"

    outcomes = await run(DIAMOND.plan(), perform)
    assert statuses(outcomes) == {
        "train": "failed",
        "lint": "passed",
        "gate": "cancelled",
        "build": "cancelled",
    }
    assert str(outcomes["train"].error) == "no data"
    assert outcomes["gate"].because == "needs train"
    assert outcomes["build"].because == "needs gate"


async def test_fail_fast_cancels_also_what_is_under_way():
    reached_end = False

    async def perform(stage):
        nonlocal reached_end
        if stage.name == "train":
            raise RuntimeError("no data")
        await anyio.sleep_forever()
        reached_end = True

    with anyio.fail_after(5):
        outcomes = await run(DIAMOND.plan(), perform, fail_fast=True)
    assert statuses(outcomes) == {
        "train": "failed",
        "lint": "cancelled",
        "gate": "cancelled",
        "build": "cancelled",
    }
    assert "--fail-fast" in outcomes["lint"].because
    assert not reached_end


async def test_cancellation_from_outside_stops_every_stage():
    cleaned = []

    async def perform(stage):
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(stage.name)

    with anyio.move_on_after(0.05) as scope:
        await run(DIAMOND.plan(), perform)
    assert scope.cancelled_caught
    assert sorted(cleaned) == ["lint", "train"]


async def test_an_observer_hears_of_every_beginning_and_end():
    heard = []

    async def perform(stage):
        if stage.name == "gate":
            raise RuntimeError("not good enough")

    def observe(stage, outcome):
        heard.append((stage.name, outcome and str(outcome.status)))

    await run(DIAMOND.plan(["build"]), perform, observe=observe)
    assert heard == [
        ("train", None),
        ("train", "passed"),
        ("gate", None),
        ("gate", "failed"),
        ("build", "cancelled"),
    ]


async def test_seconds_are_those_that_the_stage_took():
    async def perform(stage):
        await anyio.sleep(0.02)

    outcomes = await run(DIAMOND.plan(only=["lint"]), perform)
    assert outcomes["lint"].status is Status.PASSED
    assert outcomes["lint"].seconds == pytest.approx(0.02, abs=0.5)
    assert outcomes["lint"].seconds >= 0.02
