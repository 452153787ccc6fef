"""The local cloud put together: all of its APIs over one store, as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ci.engine.store.blobs import Blobs
from infra.local.api import Api, rpcs
from infra.local.api.server import Receive, Scope, Send
from infra.local.control import artifacts
from infra.local.control.run.cloud import LIBRARY, Run
from infra.local.control.secrets import manager
from infra.local.registry import AnyRepository, Registry
from infra.local.runtime.contract import Fleet, Front, Log
from infra.local.state import Store

DATABASE = "cloud.db"


class Cloud:
    """Serves Google's APIs from the folder `state`, by a fleet and a front proxy.

    A `strict` one wants everything prepared as Google does; another makes the repository that a push needs.
    Raises sqlite3.DatabaseError when the folder holds the state of another version.
    """

    def __init__(
        self,
        state: Path,
        fleet: Fleet,
        front: Front,
        log: Log,
        *,
        registry: Registry | None = None,
        strict: bool = False,
    ) -> None:
        self.store = Store(state / DATABASE)
        self.registry = registry or Registry(state / "registry", Blobs(state / "blobs"), AnyRepository())
        images = artifacts.Artifacts(self.store, self.registry, auto_create=not strict)
        secrets = manager.SecretManager(self.store, state)
        self._run = Run(self.store, fleet, front, read=secrets.read, log=log)
        self._api = Api((*rpcs(LIBRARY), *rpcs(manager.LIBRARY), *rpcs(artifacts.LIBRARY)))
        self.shelves = self._run.shelves
        self._run.serve(self._api)
        secrets.serve(self._api)
        images.serve(self._api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] == "http":
            await self._api(scope, receive, send)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Serve what was served before, and do what clients ask for, while the block is open."""
        try:
            async with self._run.working():
                yield
        finally:
            self.store.close()
