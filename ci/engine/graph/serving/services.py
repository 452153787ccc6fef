"""The services of a session: each started once, known by name, and stopped some time after its last use."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from ci.engine.errors import EngineError, ExecError
from ci.engine.graph.serving import life as serving
from ci.engine.graph.serving.harbour import Harbour
from ci.engine.graph.serving.service import Running, Service, named
from ci.engine.graph.steps.rooms import HOSTNAME

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.steps.surroundings import Surroundings

Hosts = tuple[tuple[str, str], ...]

#: How long a service goes on after its last user, in seconds, as Dagger's own engine has it.
GRACE = 10.0


@dataclass(slots=True)
class _Book:
    """A process's hosts file: what is its own there, where it is itself, and whom it has been let reach."""

    own: Hosts
    inside: bool
    address: str
    reached: frozenset[str] = frozenset()


class Services:
    """The services of one session, by digest."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._running: dict[str, Running] = {}
        self._taken: set[str] = set()
        self._books: dict[Path, _Book] = {}
        self.harbour = Harbour(tasks)
        self.changed = anyio.Event()

    @contextlib.asynccontextmanager
    async def using(
        self, evaluator: Evaluator, surroundings: Surroundings, wanted: tuple[tuple[str, Service], ...]
    ) -> AsyncIterator[tuple[Running, ...]]:
        """Have services run while the context lasts; those who run, in the order of ``wanted``.

        Raises:
            EngineError: one did not start.
            ExecError: its process, or its health check, ended with an error.
        """
        used: list[Running] = []
        try:
            for _, service in wanted:
                running = self._begin(evaluator, surroundings, service)
                running.users += 1
                used.append(running)
            for running in used:
                try:
                    await self._ready(running)
                except EngineError as error:
                    aliases = [alias for alias, service in wanted if service == running.service]
                    raise _within(f"start {named(running.service, aliases)}: ", error) from error
            yield tuple(used)
        finally:
            for running in used:
                running.users -= 1
                if not running.users and not running.pinned:
                    self._tasks.start_soon(self._stop_unused, running)

    async def start(self, evaluator: Evaluator, surroundings: Surroundings, service: Service) -> Running:
        """Start a service that then runs until it is stopped or the session ends; errors as of ``using``."""
        running = self._begin(evaluator, surroundings, service)
        running.pinned = running.public = True
        await self._ready(running)
        self.tell()  # it may have been running before, for those alone who are bound to it
        return running

    async def stop(self, service: Service, *, kill: bool = False) -> None:
        """Stop a service, if it runs."""
        running = self._running.get(service.digest)
        if running is None:
            return
        running.pinned = False
        if kill and running.process is not None:
            running.process.kill()
        running.stopping.set()
        await running.ended.wait()

    async def stop_all(self) -> None:
        """Stop every service, side by side."""
        async with anyio.create_task_group() as group:
            for running in tuple(self._running.values()):
                group.start_soon(self.stop, running.service)
        await self.harbour.close()

    async def find(self, service: Service) -> Running:
        """The service as it runs, waited for while it starts.

        Raises:
            EngineError: it does not run, or failed to start.
        """
        running = self._running.get(service.digest)
        if running is None:
            raise EngineError(f"service {service.hostname} is not running")
        await self._ready(running)
        return running

    def alive(self) -> tuple[Running, ...]:
        """The services that have started."""
        return tuple(running for running in self._running.values() if running.alive)

    def tell(self) -> None:
        """Let everybody know that a service started, ended or opened a port."""
        self.changed.set()
        self.changed = anyio.Event()
        for path, book in self._books.items():
            self._write(path, book)

    @contextlib.contextmanager
    def book(self, path: Path, own: Hosts, *, inside: bool, address: str) -> Iterator[None]:
        """Keep a process's hosts file, and let it reach whom that names, and nobody else.

        These are ``own`` (address, name) pairs, and every service that was started for all of the session.
        ``inside`` is for a process that is on the network between services, at ``address``.
        """
        book = self._books[path] = _Book(own, inside, address)
        self._write(path, book)
        try:
            yield
        finally:
            del self._books[path]
            self._let_reach(book, frozenset())

    def _let_reach(self, book: _Book, wanted: frozenset[str]) -> None:
        network = self.harbour.made
        if network is None or not book.address:
            return
        here = {running.inner for running in self._running.values() if running.service.step is None}
        for other in book.reached - wanted:
            network.rules.forbid(book.address, other, here=other in here)
        for other in wanted - book.reached:
            network.rules.allow(book.address, other, here=other in here)
        book.reached = wanted

    def _write(self, path: Path, book: _Book) -> None:
        rows = {name: address for address, name in book.own}
        for running in self.alive():
            if running.service.tunnelled is None and running.public:
                rows.setdefault(running.hostname, running.inner if book.inside else running.address)
        self._let_reach(book, frozenset(rows.values()) - {book.address})
        lines = [f"127.0.0.1\tlocalhost {HOSTNAME}", "::1\tlocalhost ip6-localhost ip6-loopback"]
        lines += (f"{address}\t{name}" for name, address in rows.items())
        # In place: it is this very file that processes have mounted. Cut off last, and a process's own names
        # first, where they stay: whoever reads it meanwhile finds them.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), "wb", buffering=0) as file:
            written = file.write(("\n".join(lines) + "\n").encode("ascii"))
            if os.fstat(file.fileno()).st_size > written:  # a disk takes its time to truncate
                file.truncate()

    def _begin(self, evaluator: Evaluator, surroundings: Surroundings, service: Service) -> Running:
        running = self._running.get(service.digest)
        if running is None or running.ended.is_set():
            running = Running(service, self._address(service))
            self._running[service.digest] = running
            self._tasks.start_soon(self._live, evaluator, surroundings, running)
        return running

    async def _live(self, evaluator: Evaluator, surroundings: Surroundings, running: Running) -> None:
        try:
            await serving.live(evaluator, surroundings, running)
        finally:
            running.ended.set()
            if self._running.get(running.service.digest) is running:
                del self._running[running.service.digest]
            self._taken.discard(running.address)
            self.tell()

    def _address(self, service: Service) -> str:
        for attempt in range(1_000):
            raw = hashlib.sha256(f"{service.digest}{attempt}".encode()).digest()
            address = f"127.{64 + raw[0] % 64}.{raw[1]}.{1 + raw[2] % 254}"
            if address not in self._taken:
                self._taken.add(address)
                return address
        raise EngineError("no loopback address is free for a service: stop some of the services")

    @staticmethod
    async def _ready(running: Running) -> None:
        async with anyio.create_task_group() as group:

            async def until(event: anyio.Event) -> None:
                await event.wait()
                group.cancel_scope.cancel()

            group.start_soon(until, running.started)
            group.start_soon(until, running.ended)
        if not running.started.is_set():
            raise running.failure()

    async def _stop_unused(self, running: Running) -> None:
        with anyio.move_on_after(GRACE):
            await running.ended.wait()
        if not running.users and not running.pinned:
            running.stopping.set()


def _within(context: str, error: EngineError) -> EngineError:
    return error.within(context) if isinstance(error, ExecError) else EngineError(f"{context}{error}")
