"""The program's interpreter: started ahead, and forked for each run."""

import os
import signal
from io import FileIO

import anyio
import pytest

from infra.engine.deploy.contract import Program
from infra.engine.protocol.program.launcher import Launcher
from tests.integration.infra.engine.deploy.conftest import Stack

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def stack(tmp_path):
    return Stack(tmp_path)


def printed(stack):
    return stack.said("info").split()


async def test_a_preview_and_its_update_are_forks_of_one_interpreter(stack):
    stack.program("print(os.getppid(), os.getpid())")
    program = Program("shop", stack.folder, environment={"LOG": str(stack.log)})
    said = []
    with Launcher(program, again=True) as launcher:
        for kind in ("preview", "update"):
            await stack.run(kind, launcher=launcher)
            said.append(printed(stack))
    (parent, first), (again, second) = said
    assert parent == again
    assert first != second


async def test_an_update_does_not_see_what_its_preview_has_changed(stack):
    stack.program("pulumi.runs = getattr(pulumi, 'runs', 0) + 1; print(pulumi.runs)")
    program = Program("shop", stack.folder, environment={"LOG": str(stack.log)})
    with Launcher(program, again=True) as launcher:
        for kind in ("preview", "update"):
            await stack.run(kind, launcher=launcher)
            assert printed(stack) == ["1"]


@pytest.mark.parametrize("variables", [{}, {"PYTHONSAFEPATH": "1"}])
async def test_the_engine_s_own_modules_are_not_in_the_program_s_way(stack, variables):
    stack.program(
        """
        from importlib.util import find_spec
        print([name for name in ("launcher", "entry", "process", "tether") if find_spec(name)])
        """
    )
    outcome = await stack.up(variables=variables)
    assert (outcome.result, printed(stack)) == ("succeeded", ["[]"])


@pytest.mark.parametrize("asked", [False, True])
async def test_debug_messages_come_only_if_they_are_asked_for(stack, asked):
    stack.program("pulumi.log.debug('look here'); pulumi.log.info('and here')")
    await stack.up(debug=asked)
    assert ("look here" in stack.said("debug")) is asked
    assert "and here" in stack.said("info")


async def test_a_run_ends_with_its_interpreter(stack):
    begun = stack.folder / "begun"
    os.mkfifo(begun)
    stack.program(f"""
        import signal
        with open({str(begun)!r}, "w") as begun:
            begun.write(f"{{os.getppid()}} {{os.getpid()}}")
        signal.pause()
    """)
    outcomes = []

    async def operate():
        outcomes.append(await stack.up())

    with FileIO(os.open(begun, os.O_RDONLY | os.O_NONBLOCK)) as told, anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(operate)
            await anyio.wait_readable(told)
            interpreter, run = map(int, told.read().split())
            with FileIO(os.pidfd_open(run)) as ended:
                os.kill(interpreter, signal.SIGKILL)
                await anyio.wait_readable(ended)
    assert outcomes[0].result == "failed"


async def test_an_interpreter_that_does_not_start_is_told_with_its_own_words(stack):
    stack.program("")
    broken = stack.folder / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 127\n")
    broken.chmod(0o755)
    outcome = await stack.up(variables={"PULUMI_PYTHON_CMD": str(broken)})
    assert outcome.result == "failed"
    assert "no such library" in stack.said("info#err")
    assert "exit code: 127" in stack.said()


async def test_an_interpreter_that_is_not_there_is_named(stack):
    stack.program("")
    outcome = await stack.up(variables={"PULUMI_PYTHON_CMD": "/nowhere/python"})
    assert outcome.result == "failed"
    assert "could not start /nowhere/python" in stack.said()
