"""Cloud Run put together: its methods for the API, and the work that they start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
from google.cloud import run_v2

from infra.local.api import Api
from infra.local.api.errors import ApiError
from infra.local.control.operations import Work
from infra.local.control.reconcile import Reconciler
from infra.local.control.run.batch import Batch
from infra.local.control.run.delivery import Admission, Delivery
from infra.local.control.run.executions import Executions, Tasks
from infra.local.control.run.invokers import Doors
from infra.local.control.run.jobs import Jobs
from infra.local.control.run.revisions import Revisions
from infra.local.control.run.secrets import Read
from infra.local.control.run.services import Services
from infra.local.control.run.shelves import Shelves
from infra.local.runtime.contract import Fleet, Front, Log
from infra.local.state import Store

LIBRARY = "google.cloud.run_v2"
HOST = "run.googleapis.com"
_PACKAGE = "google.cloud.run.v2"


def _admit_all(_image: str, _service: run_v2.Service) -> None:
    """Let every image run."""


class Run:
    """Cloud Run over a store, a fleet and a front proxy."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        front: Front,
        *,
        read: Read,
        log: Log,
        admission: Admission = _admit_all,
        doors: Doors | None = None,
    ) -> None:
        self.shelves = Shelves(store)
        self._delivery = Delivery(
            self.shelves, fleet, front, read=read, admission=admission, doors=doors or Doors(store)
        )
        self._batch = Batch(self.shelves, fleet, read, log)
        self._port = front.port

    def serve(self, api: Api) -> None:
        """Answer Cloud Run's methods."""
        handlers = {
            "Services": Services(self.shelves, self._port),
            "Revisions": Revisions(self.shelves),
            "Jobs": Jobs(self.shelves),
            "Executions": Executions(self.shelves),
            "Tasks": Tasks(self.shelves),
        }
        for name, handler in handlers.items():
            api.serve(f"{_PACKAGE}.{name}", handler)
        api.serve("google.longrunning.Operations", self.shelves.operations, HOST)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Bring back what was served, and do the work of operations while the block is open."""
        async with anyio.create_task_group() as background:
            await self._delivery.restore(background)

            async def perform(work: Work) -> None:
                await self._perform(work, background)

            async with Reconciler(self.shelves.operations, perform):
                yield
            background.cancel_scope.cancel()

    async def _perform(self, work: Work, background: anyio.abc.TaskGroup) -> None:
        kind = work.target.split("/")[-2]
        match kind, work.action:
            case "services", "apply":
                await self._delivery.apply(work, background)
            case "services", "delete":
                await self._delivery.delete(work)
            case "revisions", "delete":
                await self._delivery.delete_revision(work)
            case "executions", "run":
                await self._batch.run(work)
            case "executions", "cancel":
                await self._batch.cancel(work)
            case "executions" | "jobs", "delete":
                await self._batch.delete(work)
            case _:
                raise ApiError("INTERNAL", f"There is no way to {work.action} {work.target}.")
