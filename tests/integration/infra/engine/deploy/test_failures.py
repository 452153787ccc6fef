"""What goes wrong: told once, in the real engine's words, and the state tells the truth."""

import os
from dataclasses import replace
from io import FileIO
from pathlib import Path

import anyio
import pytest

from infra.engine.state.model import Operation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'Thing("a"); Thing("a")',
            "Duplicate resource URN 'urn:pulumi:dev::shop::pulumi-python:dynamic:Resource::a'",
        ),
        ('Thing("a", bad="x")', "resource 'a': property bad value {x} has a problem: is not allowed"),
        ('pulumi.CustomResource("nopkg:index:Thing", "n", {})', "no provider for package 'nopkg' is at hand"),
        ('raise pulumi.RunError("sorry")', "sorry"),
        ('pulumi.Config().require("needed")', "Missing required configuration variable 'shop:needed'"),
        ("x = 1 / 0", "Program failed with an unhandled exception:\nTraceback (most recent call last):\n"),
        ("import sys; sys.exit(7)", "an unhandled error occurred: program exited with non-zero exit code: 7"),
    ],
)
async def test_the_program_s_mistake_fails_the_update(stack, text, message):
    stack.program(text + "\n")
    outcome = await stack.up()
    assert outcome.result == "failed"
    assert message in stack.said()
    assert stack.journal.pending == []


async def test_a_traceback_is_of_the_user_s_file_only(stack):
    stack.program("""
        def deep():
            return 1 / 0
        deep()
    """)
    await stack.up()
    assert "in deep" in stack.said()
    assert "runpy" not in stack.said()
    assert "infra/engine" not in stack.said()


async def test_a_syntax_error_is_told_with_its_file_line_and_place_and_no_frame_of_the_engine(stack):
    stack.program("def broken(:\n    pass\n")
    outcome = await stack.up()
    assert outcome.result == "failed"
    assert "SyntaxError: invalid syntax" in stack.said()
    assert "__main__.py" in stack.said()
    assert "def broken(:" in stack.said()
    assert "runpy" not in stack.said()
    assert "infra/engine" not in stack.said()


async def test_a_circle_is_told_by_the_resource_it_is_found_at_and_by_no_frame_of_the_sdk(stack):
    stack.program("""
        class Ring(pulumi.ComponentResource):
            def __init__(self):
                super().__init__("shop:index:Ring", "ring")
                first = Thing("first", Opts(parent=self, depends_on=[self]))
                Thing("second", Opts(parent=self), value=first.urn)
        Ring()
    """)
    await stack.up()
    assert "RuntimeError: We have detected a circular dependency" in stack.said()
    assert "named first" in stack.said()
    assert 'File "' not in stack.said()


async def test_a_failed_step_stops_what_depends_on_it_and_keeps_what_was_made(stack):
    stack.program("""
        a = Thing("a")
        b = Thing("b", Opts(depends_on=[a]), fail="create" if mode == "bad" else None)
        c = Thing("c", Opts(depends_on=[b]))
        pulumi.export("x", 1)
    """)
    outcome = await stack.up(mode="bad")
    assert (outcome.result, outcome.error) == ("failed", "update failed")
    assert "no such luck" in stack.said()
    assert stack.names() == ["shop-dev", "a"]
    assert stack.journal.pending == []
    outcome = await stack.up()
    assert stack.counted(outcome) == {"same": 2, "create": 2}


@pytest.mark.slow
async def test_other_resources_go_on_being_made_if_asked(stack):
    stack.program("""
        a = Thing("a", fail="create")
        b = Thing("b", Opts(depends_on=[a]))
        c = Thing("c", value=1); d = Thing("d", value=c.shout)
    """)
    outcome = await stack.up(continue_on_error=True)
    assert outcome.result == "failed"
    assert sorted(stack.names()) == ["c", "d", "shop-dev"]


@pytest.mark.slow
async def test_what_cannot_be_deleted_stays_and_so_does_what_it_depends_on(stack):
    stack.program("""
        if mode == "":
            a = Thing("a")
            b = Thing("b", Opts(depends_on=[a]), fail="delete")
    """)
    await stack.up()
    outcome = await stack.up(mode="gone")
    assert outcome.result == "failed"
    assert "it holds on" in stack.said()
    assert stack.names() == ["shop-dev", "a", "b"]


def pipe(stack, name):
    """A named pipe beside the provider's log; neither end waits for the other to open it."""
    path = Path(f"{stack.log}.{name}")
    os.mkfifo(path)
    return FileIO(os.open(path, os.O_RDWR), "r+")


async def test_an_interrupt_finishes_what_is_under_way_and_begins_nothing_new(stack):
    stack.program("""
        class Slow(ResourceProvider):
            def create(self, props):
                note("begin", props["name"])
                with open(log + ".begun", "wb", buffering=0) as begun, open(log + ".go", "rb") as go:
                    begun.write(b".")
                    go.read(1)
                return CreateResult("x", props)
        a = Plain(Slow(), "a", {"name": "a"})
        Plain(Slow(), "b", {"name": "b"}, Opts(depends_on=[a]))
    """)
    interrupt = anyio.Event()
    outcomes = []

    async def operate():
        outcomes.append(await stack.up(interrupt=interrupt))

    with pipe(stack, "begun") as begun, pipe(stack, "go") as go, anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(operate)
            await anyio.wait_readable(begun)
            interrupt.set()
            go.write(b".")
    assert outcomes[0].result == "cancelled"
    assert stack.asked() == ["begin a"]
    assert stack.names() == ["shop-dev", "a"]
    assert stack.journal.pending == []


@pytest.mark.slow
async def test_cancelled_at_once_the_operation_under_way_is_left_pending(stack):
    stack.program("""
        class Stuck(ResourceProvider):
            def create(self, props):
                with open(log + ".begun", "wb", buffering=0) as begun, open(log + ".go", "rb") as go:
                    begun.write(b".")
                    go.read(1)
        Plain(Stuck(), "a", {})
    """)
    with pipe(stack, "begun") as begun, pipe(stack, "go"), anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(stack.up)
            await anyio.wait_readable(begun)
            group.cancel_scope.cancel()
    assert [(each.type, each.resource.name) for each in stack.journal.pending] == [("creating", "a")]


@pytest.mark.slow
async def test_an_update_killed_in_the_middle_of_a_change_is_mended_by_reading(stack):
    stack.program('Thing("a", value=1)\n')
    await stack.up()
    interrupted = Operation(stack.resource("a"), "updating")
    stack.snapshot = replace(stack.snapshot, pending_operations=(interrupted,))
    outcome = await stack.up()
    assert outcome.result == "succeeded"
    assert "1 pending operations from previous deployment were settled" in stack.said("warning")
    assert "::a, interrupted while updating" in stack.said("warning")
    assert stack.snapshot.pending_operations == ()


@pytest.mark.slow
async def test_a_creation_that_nobody_can_tell_of_stays_pending_and_is_told(stack):
    stack.program('Thing("a", value=1)\n')
    await stack.up()
    interrupted = Operation(replace(stack.resource("a"), id=""), "creating")
    stack.snapshot = replace(stack.snapshot, pending_operations=(interrupted,))
    await stack.up()
    assert "Attempting to deploy or update resources with 1 pending operations" in stack.said("warning")
    assert stack.snapshot.pending_operations == (interrupted,)
