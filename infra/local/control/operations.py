"""Long-running operations: what a change answers with, and the work that is to be done for it.

An operation and its work are stored in the same transaction as the resource they are about, so that after a
kill all of them are there, and the work goes on.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import anyio
from google.longrunning import operations_pb2
from google.rpc import error_details_pb2

from infra.local.api.definition import unwrap
from infra.local.api.errors import ApiError, invalid, not_found
from infra.local.control.names import new_uid, place_of
from infra.local.control.paging import list_page
from infra.local.state import Shelf, Store

Operation = Any
LONGEST_WAIT = 60.0
_KIND, _WORK = "operation", "work"


@dataclass(frozen=True, slots=True)
class Work:
    """What is left to do for an operation: `action` to `target`, a resource's full name.

    `subject` is the revision or execution that it is about; `generation` is that of the target.
    """

    operation: str
    action: str
    target: str
    subject: str = ""
    generation: int = 0
    queue: str = ""


class Operations:
    """The operations of one API, and Google's methods on them; `wake` is told of new work in a queue."""

    def __init__(self, store: Store, wake: Callable[[str], None] = lambda _queue: None) -> None:
        self._store = store
        self._shelf: Shelf[Any] = Shelf(store, _KIND, operations_pb2.Operation)
        self._done: dict[str, anyio.Event] = {}
        self.wake = wake

    def start(self, action: str, target: Any, *, subject: str = "", queue: str = "") -> Operation:
        """A new operation for work on `target`, which is its metadata.

        Work of one queue is done one after the other; by default each resource has its own.
        """
        operation = self._new(target.name, target)
        work = Work(operation.name, action, target.name, subject, target.generation, queue or target.name)
        with self._store.transaction():
            self._shelf.put(operation)
            self._store.write(_WORK, operation.name, json.dumps(asdict(work)).encode())
        self._done[operation.name] = anyio.Event()
        self.wake(work.queue)
        return operation

    def immediate(self, resource: Any, *, keep: bool = True) -> Operation:
        """An operation that is done at once, with the resource as its response; not kept for a dry run."""
        operation = self._new(resource.name, resource)
        operation.done = True
        operation.response.Pack(unwrap(resource))
        if keep:
            self._shelf.put(operation)
        return operation

    def work(self, queue: str = "") -> list[Work]:
        """Work that is not done yet, of one queue or of all, oldest first."""
        rows = (Work(**json.loads(row.body)) for row in self._store.list(_WORK))
        return [work for work in rows if queue in {"", work.queue}]

    def finish(self, work: Work, response: Any) -> None:
        """The work is done; `response` is what came of it."""

        def change(operation: Operation) -> None:
            operation.response.Pack(unwrap(response))
            operation.metadata.Pack(unwrap(response))

        self._end(work, change)

    def fail(self, work: Work, error: ApiError, log: str = "") -> None:
        """The work could not be done; `log` is what a container printed that may tell more."""

        def change(operation: Operation) -> None:
            operation.error.code = error.number
            operation.error.message = error.message
            if log:
                operation.error.details.add().Pack(error_details_pb2.DebugInfo(detail=log))

        self._end(work, change)

    async def get_operation(self, request: Any) -> Operation:
        """GetOperation."""
        return self._get(request.name)

    async def list_operations(self, request: Any) -> Any:
        """ListOperations; the filter is "done:true", "done:false" or nothing."""
        place = str(place_of(f"{request.name}/operations/-"))
        wanted = {"": None, "done:true": True, "done:false": False}
        if request.filter not in wanted:
            raise invalid("Invalid filter.", [("filter", "Supported filters are done:true and done:false.")])
        answer = list_page(
            self._shelf, place, request, operations_pb2.ListOperationsResponse, newest_first=True
        )
        done = wanted[request.filter]
        if done is not None:
            kept = [operation for operation in answer.operations if operation.done == done]
            del answer.operations[:]
            answer.operations.extend(kept)
        return answer

    async def delete_operation(self, request: Any) -> None:
        """DeleteOperation: nobody wants to hear how it ends; the work goes on."""
        self._get(request.name)
        self._shelf.remove(request.name)

    async def wait_operation(self, request: Any) -> Operation:
        """WaitOperation: the operation when it is done, or when the time is over."""
        operation = self._get(request.name)
        asked = request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else LONGEST_WAIT
        event = self._done.get(operation.name)
        if not operation.done and event is not None:
            with anyio.move_on_after(min(asked, LONGEST_WAIT)):
                await event.wait()
        return self._get(request.name)

    def _new(self, target: str, about: Any) -> Operation:
        parts = target.split("/")
        operation = operations_pb2.Operation(name="/".join([*parts[:4], "operations", new_uid()]))
        operation.metadata.Pack(unwrap(about))
        return operation

    def _get(self, name: str) -> Operation:
        place_of(name)
        operation = self._shelf.get(name)
        if operation is None:
            raise not_found(f"Requested entity was not found: {name}")
        return operation

    def _end(self, work: Work, change: Callable[[Operation], None]) -> None:
        with self._store.transaction():
            self._store.remove(_WORK, work.operation)
            operation = self._shelf.get(work.operation)
            if operation is not None:
                operation.done = True
                change(operation)
                self._shelf.put(operation)
        event = self._done.pop(work.operation, None)
        if event is not None:
            event.set()

    def resume(self) -> Mapping[str, list[Work]]:
        """Work that a former process left, by queue."""
        found: dict[str, list[Work]] = {}
        for work in self.work():
            self._done[work.operation] = anyio.Event()
            found.setdefault(work.queue, []).append(work)
        return found
