"""Does the work of operations: one piece after the other for a resource, side by side for different ones.

Work is in the store before anybody hears of it, so a killed process's work is found and done by the next one.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from infra.local.api.errors import ApiError
from infra.local.control.operations import Operations, Work

_LOG = logging.getLogger(__name__)
Perform = Callable[[Work], Awaitable[None]]


class Reconciler:
    """Works while its block is open.

    `perform` does one piece of work and ends its operation; an ApiError that it raises is the operation's.
    Work before a piece whose action is "delete" is pointless, and what is under way then is broken off.
    """

    def __init__(self, operations: Operations, perform: Perform) -> None:
        self._operations = operations
        self._perform = perform
        self._group: TaskGroup | None = None
        self._busy: dict[str, anyio.CancelScope] = {}
        operations.wake = self.wake

    async def __aenter__(self) -> Self:
        self._group = await anyio.create_task_group().__aenter__()
        for queue in self._operations.resume():
            self.wake(queue)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        group, self._group = self._group, None
        if group is None:
            return None
        group.cancel_scope.cancel()
        return await group.__aexit__(kind, error, trace)

    def wake(self, queue: str) -> None:
        """There is new work in a queue."""
        if queue in self._busy:
            if self._operations.work(queue)[-1].action == "delete":
                self._busy[queue].cancel()
        elif self._group is not None:
            self._busy[queue] = anyio.CancelScope()
            self._group.start_soon(self._all, queue)

    async def _all(self, queue: str) -> None:
        try:
            while pending := self._operations.work(queue):
                await self._next(queue, pending)
        finally:
            del self._busy[queue]

    async def _next(self, queue: str, pending: Sequence[Work]) -> None:
        work = pending[0]
        if work.action != "delete" and any(later.action == "delete" for later in pending):
            self._operations.fail(work, _deleted(work))
            return
        with anyio.CancelScope() as scope:
            self._busy[queue] = scope
            await self._one(work)
        if scope.cancelled_caught:
            self._operations.fail(work, _deleted(work))

    async def _one(self, work: Work) -> None:
        try:
            await self._perform(work)
        except ApiError as error:
            self._operations.fail(work, error)
        except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # told to the client
            _LOG.exception("%s of %s", work.action, work.target)
            self._operations.fail(work, ApiError("INTERNAL", "Internal error encountered."))


def _deleted(work: Work) -> ApiError:
    return ApiError(
        "ABORTED", f"Resource '{work.target.rpartition('/')[2]}' was deleted while it was being updated."
    )
