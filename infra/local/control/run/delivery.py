"""Makes of a stored service a running one: starts revisions, splits traffic, stops what is not needed.

A revision that does not become ready changes nothing for the traffic: the service keeps serving what it
served, and its conditions and the operation say why.
"""

import logging
from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskGroup
from google.cloud import run_v2

from infra.local.api.errors import ApiError
from infra.local.control.iam import forget_policy
from infra.local.control.names import last, place_of
from infra.local.control.operations import Work
from infra.local.control.run import rollout
from infra.local.control.run.conditions import FAILED, RECONCILING, SUCCEEDED, condition, now, put
from infra.local.control.run.invokers import Doors
from infra.local.control.run.secrets import Given, Read, SecretDenied, read_secrets
from infra.local.control.run.shelves import Shelves
from infra.local.control.run.spec import revision_spec
from infra.local.runtime.contract import DeployFailed, Fleet, Front

_LOG = logging.getLogger(__name__)
_AT_ONCE = 2

# Whether an image may run for a service: given the image's name and the service, raises Denied.
Admission = Callable[[str, run_v2.Service], None]


class Denied(Exception):
    """A policy does not let an image run."""


class Delivery:
    """Delivers services by a fleet and a front proxy; `read` reads secrets, `admission` may refuse images."""

    def __init__(
        self, shelves: Shelves, fleet: Fleet, front: Front, *, read: Read, admission: Admission, doors: Doors
    ) -> None:
        self._shelves = shelves
        self._fleet = fleet
        self._front = front
        self._read = read
        self._admission = admission
        self._doors = doors
        self._deployed: set[str] = set()
        self._retiring: dict[str, anyio.Event] = {}

    async def apply(self, work: Work, background: TaskGroup) -> None:
        """Bring a service to its stored state, with the new revision `work.subject` when there is one."""
        failure = await self._new_revision(work)
        service = self._shelves.services.get(work.target)
        if service is None:
            raise ApiError("NOT_FOUND", f"Resource '{last(work.target)}' does not exist.")
        if work.subject:
            state = FAILED if failure else SUCCEEDED
            reason = failure.reason if failure else ""
            put(
                service.conditions,
                condition("ConfigurationsReady", state, failure.message if failure else "", reason),
            )
            if failure is None:
                service.latest_ready_revision = work.subject
        unroutable = await self._traffic(service, background)
        # Another change may have been stored while this one was waited for.
        latest = self._shelves.services.get(work.target) or service
        self._state(latest, service, work)
        with self._shelves.store.transaction():
            self._shelves.services.put(latest)
            message = failure.message if failure else unroutable
            if message:
                log = failure.log if failure else ""
                self._shelves.operations.fail(work, ApiError("INTERNAL", message), log)
            else:
                self._shelves.operations.finish(work, latest)

    async def delete(self, work: Work) -> None:
        """Stop all of a service and forget it."""
        service = self._shelves.services.get(work.target)
        rollout.unroute(work.target, self._front)
        async with anyio.create_task_group() as group:
            for name in [name for name in self._deployed if name.startswith(f"{work.target}/")]:
                group.start_soon(self._retire, name)
        with self._shelves.store.transaction():
            self._shelves.revisions.remove_under(work.target)
            self._shelves.services.remove(work.target)
            forget_policy(self._shelves.store, work.target)
            if service is not None:
                service.reconciling = False
                self._shelves.operations.finish(work, service)

    async def delete_revision(self, work: Work) -> None:
        """Stop a revision and forget it."""
        revision = self._shelves.revisions.get(work.target)
        await self._retire(work.target)
        with self._shelves.store.transaction():
            self._shelves.revisions.remove(work.target)
            if revision is not None:
                revision.reconciling = False
                self._shelves.operations.finish(work, revision)

    async def restore(self, background: TaskGroup) -> None:
        """Bring back all services that a former process served; those that fail say so, and stop no other."""
        limit = anyio.CapacityLimiter(_AT_ONCE)

        async def one(service: run_v2.Service) -> None:
            async with limit:
                unroutable = await self._traffic(service, background, proven=True)
                if unroutable:
                    _LOG.warning("%s: %s", service.name, unroutable)

        async with anyio.create_task_group() as group:
            for service in self._shelves.services.all():
                if service.latest_ready_revision and not service.delete_time:
                    group.start_soon(one, service)

    async def _new_revision(self, work: Work) -> "_Failure | None":
        revision = self._shelves.revisions.get(work.subject) if work.subject else None
        if revision is None:
            return None
        service = self._shelves.services.get(work.target)
        failure = await self._start(revision, service.scaling.min_instance_count if service else 0)
        state = FAILED if failure else SUCCEEDED
        text, reason = (failure.detail, failure.reason) if failure else ("", "")
        for kind in ("Ready", "ContainerReady", "ContainerHealthy"):
            put(revision.conditions, condition(kind, state, text, reason))
        put(revision.conditions, condition("ResourcesAvailable", SUCCEEDED))
        revision.reconciling, revision.observed_generation = False, revision.generation
        revision.update_time = now()
        self._shelves.revisions.put(revision)
        return failure

    async def _start(
        self, revision: run_v2.Revision, least: int = 0, *, proven: bool = False
    ) -> "_Failure | None":
        """Start a revision; what prevented it, if anything did."""
        if revision.name in self._retiring:
            await self._retiring[revision.name].wait()
        try:
            service = self._shelves.services.get(f"{place_of(revision.name)}/services/{revision.service}")
            if service is not None:
                self._admission(revision.containers[0].image, service)
            spec = revision_spec(revision, self._secrets(revision), min_instances=least)
            await self._fleet.deploy(spec, proven=proven)
        except DeployFailed as error:
            return _Failure(revision.name, error.reason, error.message, error.log)
        except SecretDenied as error:
            return _Failure(revision.name, "SECRETS_ACCESS_CHECK_FAILED", str(error))
        except Denied as error:
            return _Failure(revision.name, "CONTAINER_IMAGE_UNAUTHORIZED", str(error))
        self._deployed.add(revision.name)
        return None

    def _secrets(self, revision: run_v2.Revision) -> Given:
        place = place_of(revision.name)
        return read_secrets(
            revision.containers, revision.volumes, place, revision.service_account, self._read
        )

    async def _traffic(self, service: run_v2.Service, background: TaskGroup, *, proven: bool = False) -> str:
        """Let the traffic be split as the service says; why it can't be, or ""."""
        try:
            chosen = rollout.split(service, self._shelves, self._front.port)
            await self._start_all(sorted(chosen.revisions - self._deployed), proven=proven)
        except rollout.Unroutable as error:
            put(service.conditions, condition("RoutesReady", FAILED, str(error), "RevisionFailed"))
            return str(error)
        rollout.route(service, chosen, self._front, self._shelves, self._doors)
        service.traffic_statuses = list(chosen.statuses)
        put(service.conditions, condition("RoutesReady", SUCCEEDED))
        for name in [
            name for name in self._deployed - chosen.revisions if name.startswith(f"{service.name}/")
        ]:
            background.start_soon(self._retire, name)
        return ""

    async def _start_all(self, names: Sequence[str], *, proven: bool) -> None:
        for name in names:
            revision = self._shelves.revisions.get(name)
            failure = await self._start(revision, proven=proven) if revision is not None else None
            if failure is not None:
                raise rollout.Unroutable(failure.message)

    async def _retire(self, name: str) -> None:
        if name not in self._deployed:
            return
        self._deployed.discard(name)
        self._retiring[name] = anyio.Event()
        try:
            await self._fleet.retire(name)
        finally:
            self._retiring.pop(name).set()

    @staticmethod
    def _state(latest: run_v2.Service, done: run_v2.Service, work: Work) -> None:
        """Write what was observed into the stored service."""
        latest.latest_ready_revision = done.latest_ready_revision
        latest.traffic_statuses = done.traffic_statuses
        latest.observed_generation = max(latest.observed_generation, work.generation)
        latest.reconciling = latest.observed_generation < latest.generation
        for each in done.conditions:
            put(latest.conditions, each)
        # A service without a revision to route to says why its revision failed, rather than that it has none.
        causes = sorted(latest.conditions, key=lambda each: each.type_ != "ConfigurationsReady")
        failed = next((each for each in causes if each.state == FAILED), None)
        if latest.reconciling:
            latest.terminal_condition = condition("Ready", RECONCILING)
        elif failed is not None:
            latest.terminal_condition = run_v2.Condition(failed)
            latest.terminal_condition.type_ = "Ready"
        else:
            latest.terminal_condition = condition("Ready", SUCCEEDED)


class _Failure:
    """Why a revision is not ready: Google's reason, its words with and without a name, what was logged."""

    def __init__(self, revision: str, reason: str, detail: str, log: str = "") -> None:
        self.reason = reason
        self.log = log
        prefix = f"Revision '{last(revision)}' is not ready and cannot serve traffic. "
        self.detail = detail.removeprefix(prefix)
        self.message = prefix + self.detail
