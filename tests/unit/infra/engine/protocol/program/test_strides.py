"""How the SDK's loop over a program's outputs waits when there are many."""

import asyncio

import pytest

from infra.engine.protocol.program.entry import Strides

pytestmark = pytest.mark.anyio
MANY = Strides.MANY + 100
FIRST = {"return_when": asyncio.FIRST_COMPLETED}


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def finished():
    """An output that is there."""


async def test_many_outputs_are_looked_at_once_when_all_are_there():
    tasks = [asyncio.ensure_future(finished()) for _ in range(MANY)]
    done, left = await Strides().wait(tasks, **FIRST)
    assert (len(done), len(left)) == (MANY, 0)


async def test_an_output_that_fails_is_told_although_no_other_is_there():
    never = [asyncio.get_running_loop().create_future() for _ in range(MANY)]
    failed = never[-1]
    failed.set_exception(ValueError("no such luck"))
    done, left = await Strides().wait(never, **FIRST)
    assert done == {failed}
    assert len(left) == MANY - 1
    assert str(failed.exception()) == "no such luck"


async def test_those_that_never_come_do_not_keep_the_others():
    never = [asyncio.get_running_loop().create_future() for _ in range(MANY)]
    there = asyncio.ensure_future(finished())
    done, left = await Strides().wait([*never, there], **FIRST)
    assert done == {there}
    assert left == set(never)


async def test_the_rest_of_asyncio_is_as_it_was():
    assert Strides().sleep is asyncio.sleep
    task = asyncio.ensure_future(finished())
    assert await Strides().wait([task]) == ({task}, set())
