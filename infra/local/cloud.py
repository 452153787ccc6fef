"""The local cloud put together: all of its APIs over one store, as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ci.engine.store.blobs import Blobs
from infra.local.api import Api, methods, rpcs
from infra.local.api.server import Receive, Scope, Send
from infra.local.control import artifacts
from infra.local.control.admission import BinaryAuthorization
from infra.local.control.budgets import Budgets
from infra.local.control.gate import gate
from infra.local.control.iam.manager import Iam
from infra.local.control.logging import Logging, Logs
from infra.local.control.monitoring import Monitoring
from infra.local.control.projects import ResourceManager
from infra.local.control.run.cloud import LIBRARY, Run
from infra.local.control.run.invokers import Doors
from infra.local.control.secrets import manager
from infra.local.control.services import ServiceUsage
from infra.local.registry import AnyRepository, Registry
from infra.local.runtime.contract import Fleet, Front, Log
from infra.local.runtime.metadata import Identity
from infra.local.state import Store
from infra.local.traffic.metrics import Metrics

DATABASE = "cloud.db"
# The APIs that are served by their discovery documents.
DOCUMENTS = (
    ("serviceusage", "v1"),
    ("cloudresourcemanager", "v1"),
    ("cloudresourcemanager", "v3"),
    ("iam", "v1"),
    ("iamcredentials", "v1"),
    ("billingbudgets", "v1"),
    ("binaryauthorization", "v1"),
    ("logging", "v2"),
    ("monitoring", "v3"),
)


class Cloud:
    """Serves Google's APIs from the folder `state`, by a fleet and a front proxy.

    A `strict` one wants everything prepared as Google does; another makes the repository that a push needs.
    `identity` issues the tokens of service accounts; `quota_per_minute` is how many requests an API answers
    for a project in a minute, 0 for any number.

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
        logs: Logs | None = None,
        metrics: Metrics | None = None,
        strict: bool = False,
        identity: Identity | None = None,
        quota_per_minute: int = 0,
    ) -> None:
        self.store = Store(state / DATABASE)
        self.registry = registry or Registry(state / "registry", Blobs(state / "blobs"), AnyRepository())
        images = artifacts.Artifacts(self.store, self.registry, auto_create=not strict)
        self.logs = logs or Logs(state)
        self.monitoring = Monitoring(self.store, state, metrics or Metrics(), self.logs)
        secrets = manager.SecretManager(self.store, state)
        identity = identity or Identity(state / "identity.pem")
        doors = Doors(self.store, identity.jwks, strict=strict)
        admission = BinaryAuthorization(self.store)
        self._run = Run(
            self.store, fleet, front, read=secrets.read, log=log, admission=admission, doors=doors
        )
        usage = ServiceUsage(self.store)
        guard = gate(self.store, identity, usage, strict=strict, quota_per_minute=quota_per_minute)
        messages = [rpc for each in (LIBRARY, manager.LIBRARY, artifacts.LIBRARY) for rpc in rpcs(each)]
        documents = [method for document in DOCUMENTS for method in methods(*document)]
        self._api = Api((*messages, *documents), guard)
        self.shelves = self._run.shelves
        self._run.serve(self._api)
        secrets.serve(self._api)
        images.serve(self._api)
        Logging(self.logs).serve(self._api)
        self.monitoring.serve(self._api)
        usage.serve(self._api)
        ResourceManager(self.store).serve(self._api)
        Iam(self.store, identity).serve(self._api)
        Budgets(self.store).serve(self._api)
        admission.serve(self._api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] == "http":
            await self._api(scope, receive, send)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Serve what was served before, and do what clients ask for, while the block is open."""
        try:
            async with self._run.working(), self.monitoring.working():
                yield
        finally:
            self.logs.close()
            self.store.close()
