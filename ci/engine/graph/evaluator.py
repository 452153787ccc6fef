"""Brings values about: each once in a session, by what they are; steps by the content of what goes in."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from ci.engine.errors import EngineError, out_of_room
from ci.engine.events import Events
from ci.engine.graph.files import Directory, Files
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.graph.operations import OPERATIONS
from ci.engine.graph.steps.execution import PLAIN, Exec, Given, Result, Top
from ci.engine.graph.steps.step import StepRunner
from ci.engine.store import algebra
from ci.engine.store.algebra import PathError
from ci.engine.store.blobs import BlobNotFound
from ci.engine.store.store import Store
from ci.engine.store.tree import Lost, Snapshot

if TYPE_CHECKING:
    from ci.engine.graph.serving.service import Service

T = TypeVar("T")


class _Flight:
    """Work under way that several callers wait for; ended when none is left."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.scope = anyio.CancelScope()
        self.waiting = 0
        self.value: Any = None
        self.error: Exception | None = None


class Once:
    """Runs a piece of work once for all who ask for it under the same key, and remembers its value.

    The work runs in the session's task group, so that it goes on when the first to ask goes away, and
    is cancelled when the last one does. Errors are not remembered.
    """

    def __init__(self, tasks: TaskGroup, place: Path, remembered: int = 8_000) -> None:
        self._tasks = tasks
        self._place = place
        self._values: dict[Hashable, Any] = {}
        self._flights: dict[Hashable, _Flight] = {}
        self._remembered = remembered

    async def get(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The value of ``work`` under ``key``."""
        if key in self._values:
            value: T = self._values[key]
            return value
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            self._tasks.start_soon(self._fly, key, flight, work)
        flight.waiting += 1
        try:
            await flight.done.wait()
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.done.is_set():
                self._flights.pop(key, None)
                flight.scope.cancel()
        if flight.error is not None:
            raise flight.error
        result: T = flight.value
        return result

    async def _fly(self, key: Hashable, flight: _Flight, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            with flight.scope:
                flight.value = await work()
        except (OSError, sqlite3.Error) as error:
            flight.error = out_of_room(error, self._place) or error
        except Exception as error:  # noqa: BLE001  handed to those who wait  # pylint: disable=broad-exception-caught
            flight.error = error
        else:
            if flight.scope.cancelled_caught:
                flight.error = EngineError("cancelled")
            else:
                self._remember(key, flight.value)
        finally:
            flight.done.set()
            if self._flights.get(key) is flight:
                del self._flights[key]

    def forget(self) -> None:
        """Remember nothing any more; what is under way goes on."""
        self._values.clear()

    def _remember(self, key: Hashable, value: Any) -> None:
        if len(self._values) >= self._remembered:
            for old in list(self._values)[: self._remembered // 2]:
                del self._values[old]
        self._values[key] = value


class Evaluator:
    """A session's evaluator of lazy file systems and steps."""

    def __init__(self, store: Store, events: Events, tasks: TaskGroup, steps: StepRunner) -> None:
        self.store = store
        self.events = events
        self.once = Once(tasks, store.root)
        self.operations = OPERATIONS
        self.wary = False
        self._steps = steps

    async def evaluate(self, files: Files) -> Snapshot:
        """The snapshot that a lazy file system comes to.

        Raises:
            EngineError: a path in it is missing, or a step that it needs failed.
        """

        async def work() -> Snapshot:
            try:
                return await files.evaluate(self)
            except PathError as error:
                raise EngineError(str(error)) from error

        return await self.once.get(("files", files.digest), work)

    async def evaluate_all(self, many: Sequence[Files]) -> list[Snapshot]:
        """The snapshots of several file systems, side by side."""
        if len(many) == 1:
            return [await self.evaluate(many[0])]
        found: dict[int, Snapshot] = {}

        async def one(position: int, files: Files) -> None:
            found[position] = await self.evaluate(files)

        try:
            async with anyio.create_task_group() as group:
                for position, files in enumerate(many):
                    group.start_soon(one, position, files)
        except* (EngineError, OSError, sqlite3.Error) as errors:  # one cause is enough for the client
            raise _first(errors) from None
        return [found[position] for position in range(len(many))]

    async def given(self, step: Exec) -> Given:
        """The file systems that a step starts from."""
        files = {index: mount.files for index, mount in enumerate(step.mounts) if mount.files is not None}
        rootfs, *mounts = await self.evaluate_all([step.rootfs, *files.values()])
        services = {alias: await self._service_key(service) for alias, service in step.services}
        tops = {
            index: await self._top(mount.origin) for index, mount in enumerate(step.mounts) if mount.origin
        }
        return Given(rootfs, dict(zip(files, mounts, strict=True)), services, tops)

    async def _top(self, directory: Directory) -> Top:
        """What a directory itself is like."""
        snapshot = await self.evaluate(directory.files)
        entry = algebra.lookup(self.store.trees, snapshot.tree, directory.path)
        return (entry.mode, entry.uid, entry.gid) if entry is not None else PLAIN

    async def _service_key(self, service: Service) -> str:
        """What a service is to the steps that use it: the content of what goes into it, and its name."""
        if service.step is None:
            return service.digest
        ports = [(port.port, port.protocol) for port in service.ports]
        return fingerprint(service.step.key(await self.given(service.step)), ports, service.alias)

    async def execute(self, step: Exec) -> Result:
        """The result of a step: run now, awaited from whoever runs the same, or from the cache.

        Raises:
            ExecError: the command's exit code was not expected.
            EngineError: it could not be started.
        """

        async def work() -> Result:
            given = await self.given(step)
            key = step.key(given)
            return await self.once.get(("step", key), lambda: self._steps.run(self, step, key, given))

        return await self.once.get(("exec", step.digest), work)

    def heal(self, error: BaseException) -> bool:
        """Whether ``error`` came of bytes that were lost or damaged, so that it is worth trying again.

        Then nothing that was remembered counts, and recorded results only when all their bytes are there.
        """
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, Lost | BlobNotFound):
                self.once.forget()
                self.wary = True
                return True
            cause = cause.__cause__
        return False

    @staticmethod
    def clock() -> float:
        """A clock for durations, in seconds."""
        return time.monotonic()

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """Run blocking work in a worker thread."""
        return await anyio.to_thread.run_sync(function, *args)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
