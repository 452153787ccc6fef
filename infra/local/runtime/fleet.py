"""The fleet: all instances of all revisions, and tasks of jobs, in the sandbox."""

import logging
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from ci.engine.sandbox import CommandNotExecutable, CommandNotFound, Process, enter
from ci.engine.store.blobs import Blobs
from infra.local.runtime import memory, words
from infra.local.runtime.contract import DeployFailed, Log, LogEntry, RevisionSpec
from infra.local.runtime.instance import GRACE, Instance
from infra.local.runtime.metadata import Identity
from infra.local.runtime.network import OUTWARD, Network
from infra.local.runtime.output import Tail
from infra.local.runtime.rootfs import Layers, Preparation, Prepared, Source
from infra.local.runtime.running import Running, Surroundings, running
from infra.local.runtime.scaling import Place, Revision, Scaling
from infra.local.traffic.backend import Unavailable

_LOG = logging.getLogger(__name__)
_TAIL = 50  # lines of log that a failed deploy shows
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Shop:
    """Where images come from: names in `images`, bytes in `blobs`."""

    images: Source
    blobs: Blobs


class SandboxFleet:
    """Runs revisions and tasks while `working` is open; keeps layers and its key in the folder `state`.

    `number` gives a project's number, `outward` has the ports of the outside that containers reach. Call
    ci.engine.sandbox.enter() first thing in the process.
    """

    def __init__(
        self,
        state: Path,
        shop: Shop,
        log: Log,
        *,
        number: Callable[[str], str],
        scaling: Scaling | None = None,
        outward: Iterable[int] = OUTWARD,
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.identity = Identity(state / "identity.pem")
        self._log = log
        self._scaling = scaling or Scaling()
        self._folder = state / "instances"
        self._layers = Layers(state / "layers", shop.blobs, own=enter().uid_range)
        self._preparation = Preparation(shop.images, shop.blobs, self._layers)
        self._network = Network(frozenset(outward))
        self._around = Surroundings(self._folder, self._network, self.identity, number)
        self._revisions: dict[str, Revision] = {}
        self._group: TaskGroup | None = None

    async def forget_all_but(self, images: Iterable[str]) -> None:
        """Give back the disk that other images than these have; only before `working`."""
        await self._layers.prune(images)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run what is deployed while the block is open; at its end all instances get SIGTERM, and 10 s."""
        # What a process that was killed left: its mounts have gone with it, its files have not.
        await anyio.to_thread.run_sync(lambda: shutil.rmtree(self._folder, ignore_errors=True))
        self._folder.mkdir(parents=True)
        async with self._network.open(), anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self._reap)
            group.start_soon(anyio.to_thread.run_sync, self.identity.prepare)
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    async with anyio.create_task_group() as stopping:
                        for revision in self._revisions.values():
                            stopping.start_soon(revision.stop)
                self._group = None
                group.cancel_scope.cancel()

    async def publish(self, port: int, inner: int = 0) -> None:
        """Let containers reach 127.0.0.1:`port` of this machine, by any name that ends with .localhost.

        So a service calls another one by its URL, and this cloud's APIs. With `inner` they get to that port
        instead. Only while `working` is open. Raises OSError.
        """
        await self._network.publish(port, inner)

    async def deploy(self, spec: RevisionSpec, *, proven: bool = False) -> None:
        """Start an instance and wait for its startup probe; what is deployed already gets the new numbers.

        One that is `proven`, because a former process ran it, starts when it is asked or is to be kept warm.
        Raises DeployFailed.
        """
        known = self._revisions.get(spec.key)
        if known is not None and not known.closing:
            known.resize(spec.min_instances, spec.max_instances)
            await known.settled.wait()
            if known.failure is not None:
                raise known.failure
            return
        log = Tail(self._log, _TAIL)
        revision = Revision(spec, self._scaling, lambda reason: self._live(revision, reason, prepared, log))
        self._revisions[spec.key] = revision
        try:
            prepared = await self._preparation.prepare(spec.image)
            if proven:
                revision.trust()
            else:
                await revision.first()
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await revision.stop()
            if self._revisions.get(spec.key) is revision:
                del self._revisions[spec.key]
            failed = error if isinstance(error, DeployFailed) else words.retired()
            revision.failure = DeployFailed(failed.reason, failed.message, log.text)
            if failed is error:
                raise revision.failure from error
            raise
        finally:
            revision.settled.set()

    async def retire(self, revision_key: str) -> None:
        """Let requests in flight end, then stop all instances of a revision."""
        revision = self._revisions.get(revision_key)
        if revision is None:
            return
        try:
            await revision.close()
        finally:
            if self._revisions.get(revision_key) is revision:
                del self._revisions[revision_key]

    def instances(self, revision_key: str) -> int:
        """How many instances of a revision are ready."""
        revision = self._revisions.get(revision_key)
        return revision.count if revision is not None else 0

    def populations(self) -> dict[str, tuple[int, int]]:
        """For each revision, how many instances it has and how many requests wait for one."""
        return {key: (each.count, each.waiting) for key, each in self._revisions.items()}

    async def claim(self, revision_key: str, instance: str = "") -> Place:
        """A place for a request at an instance of a revision. Raises NoInstance, Unavailable."""
        revision = self._revisions.get(revision_key)
        if revision is None:
            raise Unavailable
        return await revision.claim(instance)

    async def run_task(self, spec: RevisionSpec, *, on_log: Log) -> int:
        """Run a job's task to its end; its exit code. Cancelling sends SIGTERM, and SIGKILL 10 s later.

        Raises DeployFailed.
        """
        prepared = await self._preparation.prepare(spec.image)
        name = f"task-{os.urandom(8).hex()}"
        exceeded: list[int] = []
        async with (
            running(spec, prepared, self._around, on_log, name=name, more={}) as container,
            anyio.create_task_group() as group,
        ):
            group.start_soon(_kill_when_exceeded, container, exceeded)
            try:
                code = await _ended(container.process)
            except (CommandNotFound, CommandNotExecutable) as error:
                raise words.not_executable(error) from error
            group.cancel_scope.cancel()
        text = memory.message(spec.memory, exceeded[0]) if exceeded else words.ended(code)
        severity = "ERROR" if exceeded else "WARNING" if code else "INFO"
        on_log(LogEntry(spec.key, "system", text, time.time(), severity))
        return _KILLED if exceeded else code

    def _live(self, revision: Revision, reason: str, prepared: Prepared, log: Log) -> Instance:
        if self._group is None:
            raise RuntimeError("the fleet is not working")
        instance = Instance(revision.spec, prepared, self._around, log)
        instance.say("INFO", words.starting(reason))

        async def life() -> None:
            try:
                await instance.run(revision.became_ready)
            except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # one instance's alone
                _LOG.exception("an instance of %s", revision.spec.key)
            finally:
                revision.ended(instance)

        self._group.start_soon(life)
        return instance

    async def _reap(self) -> None:
        while True:
            await anyio.sleep(min(1.0, self._scaling.idle / 4))
            now = time.monotonic()
            for revision in self._revisions.values():
                revision.reap(now)


async def _kill_when_exceeded(container: Running, exceeded: list[int]) -> None:
    exceeded.append(await container.exceeds_memory())
    container.process.kill()


async def _ended(process: Process) -> int:
    try:
        return await process.wait()
    except anyio.get_cancelled_exc_class():
        process.signal(signal.SIGTERM)
        with anyio.move_on_after(GRACE, shield=True):
            await process.wait()
        raise
