"""Doing the same to many things at once."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

T = TypeVar("T")
R = TypeVar("R")


async def together(
    work: Callable[[T], Awaitable[R]], things: Iterable[T], limit: int | None = None
) -> list[R]:
    """What `work` makes of each of the things, in their order; at most `limit` at a time.

    The first failure cancels the others and is raised as it is, not as a group.
    """
    inputs = list(things)
    results: dict[int, R] = {}
    limiter = anyio.CapacityLimiter(limit or max(len(inputs), 1))

    async def one(position: int, thing: T) -> None:
        async with limiter:
            results[position] = await work(thing)

    try:
        async with anyio.create_task_group() as group:
            for position, thing in enumerate(inputs):
                group.start_soon(one, position, thing)
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    return [results[position] for position in range(len(inputs))]


def _first(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
