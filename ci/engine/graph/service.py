"""Services: containers that run beside the steps that are bound to them, started once a session.

A service has a network of its own, so that two may use the same port. Each port it exposes is also
open on a loopback address of the host that is the service's alone (127.x.y.z); whoever is bound to
the service finds that address under its alias.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from ci.engine import sandbox
from ci.engine.errors import EngineError
from ci.engine.events import STREAMS, StepEnded, StepOutput, StepStarted, Stream
from ci.engine.graph.container import Container, Port
from ci.engine.graph.execution import Exec
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.forward import Forwarder
from ci.engine.graph.rooms import Prepared, prepared
from ci.engine.graph.scrub import Scrubber

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.surroundings import Surroundings

#: How long a service goes on after its last user, in seconds, as Dagger's own engine has it.
GRACE = 10.0
_STOP = 10.0
_LOG_TAIL = 16 * 1024


@dataclass(frozen=True)
class Service(Digested):
    """A service: a container's process, or a way to the host's ports (``upstream``) or from (``tunnelled``).

    ``forwards`` are (port to open, port it leads to, protocol); port 0 stands for a free one.
    """

    step: Exec | None
    container: Container | None = None
    ports: tuple[Port, ...] = ()
    alias: str = ""
    upstream: str = ""
    tunnelled: Service | None = None
    forwards: tuple[tuple[int, int, str], ...] = ()

    @property
    def hostname(self) -> str:
        """The name that steps find it under."""
        return self.alias or hashlib.sha256(self.digest.encode()).hexdigest()[:13]


class Running:
    """A service under way."""

    def __init__(self, service: Service, address: str) -> None:
        self.service = service
        self.address = address
        self.hostname = service.hostname
        self.started = anyio.Event()
        self.ended = anyio.Event()
        self.stopping = anyio.Event()
        self.users = 0
        self.exit_code: int | None = None
        self.error: Exception | None = None
        self.process: sandbox.Process | None = None
        self.aliases: set[str] = set()
        self.opened: tuple[Port, ...] = ()
        self.pinned = False
        self._log = b""

    def note(self, data: bytes) -> None:
        """Keep the end of what the service prints, for errors."""
        self._log = (self._log + data)[-_LOG_TAIL:]

    @property
    def log(self) -> str:
        """The end of what the service printed."""
        return self._log.decode(errors="replace").strip()

    @property
    def described(self) -> str:
        """The hostname with the aliases it is bound under, as Dagger's errors name a service."""
        names = ", ".join(sorted(self.aliases))
        return f"{self.hostname} (aliased as {names})" if names else self.hostname

    def exited(self) -> EngineError:
        """The error for those who were using it when it died."""
        log = f"\n{self.log}" if self.log else ""
        return EngineError(f"bound service {self.described} exited: exit code: {self.exit_code}{log}")


class Services:
    """The services of one session, by digest."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._running: dict[str, Running] = {}
        self._taken: set[str] = set()

    @contextlib.asynccontextmanager
    async def using(
        self, evaluator: Evaluator, surroundings: Surroundings, wanted: tuple[tuple[str, Service], ...]
    ) -> AsyncIterator[tuple[Running, ...]]:
        """Have services run while the context lasts.

        Raises:
            EngineError: one did not start; its last output is in the message.
        """
        used: list[Running] = []
        try:
            for alias, service in wanted:
                running = self._begin(evaluator, surroundings, service)
                running.aliases.add(alias)
                running.users += 1
                used.append(running)
            for running in used:
                await self._ready(running)
            yield tuple(used)
        finally:
            for running in used:
                running.users -= 1
                if not running.users and not running.pinned:
                    self._tasks.start_soon(self._stop_unused, running)

    async def start(self, evaluator: Evaluator, surroundings: Surroundings, service: Service) -> Running:
        """Start a service that then runs until it is stopped or the session ends."""
        running = self._begin(evaluator, surroundings, service)
        running.pinned = True
        await self._ready(running)
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

    def find(self, service: Service) -> Running | None:
        """The service as it runs now."""
        return self._running.get(service.digest)

    def _begin(self, evaluator: Evaluator, surroundings: Surroundings, service: Service) -> Running:
        running = self._running.get(service.digest)
        if running is None or running.ended.is_set():
            running = Running(service, self._address(service))
            self._running[service.digest] = running
            self._tasks.start_soon(self._live, evaluator, surroundings, running)
        return running

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
        if running.started.is_set():
            return
        if running.error is not None:
            raise EngineError(f"start {running.described}: {running.error}") from running.error
        log = f"\n{running.log}" if running.log else ""
        raise EngineError(
            f"start {running.described}: health check errored: exit code: {running.exit_code}{log}"
        )

    async def _stop_unused(self, running: Running) -> None:
        with anyio.move_on_after(GRACE):
            await running.ended.wait()
        if not running.users and not running.pinned:
            running.stopping.set()

    async def _live(self, evaluator: Evaluator, surroundings: Surroundings, running: Running) -> None:
        service, began = running.service, time.monotonic()
        identity = f"service:{service.digest}"
        title = service.step.title if service.step else "tunnel"
        evaluator.events.emit(StepStarted(identity, f"service {running.hostname} {title}"))
        try:
            if service.step is not None:
                await self._run(evaluator, surroundings, running, service.step, identity)
            elif service.tunnelled is not None:
                wanted = (("tunnel", service.tunnelled),)
                async with self.using(evaluator, surroundings, wanted) as (target,):
                    await self._forward(running, "127.0.0.1", target.address)
            else:
                await self._forward(running, running.address, service.upstream)
        except Exception as error:  # noqa: BLE001  told to whoever waits  # pylint: disable=broad-exception-caught
            running.error = error
        finally:
            running.ended.set()
            if self._running.get(service.digest) is running:
                del self._running[service.digest]
            self._taken.discard(running.address)
            shown = str(running.error) if running.error else None
            evaluator.events.emit(StepEnded(identity, time.monotonic() - began, cached=False, error=shown))

    async def _run(
        self, evaluator: Evaluator, surroundings: Surroundings, running: Running, step: Exec, identity: str
    ) -> None:
        given = await evaluator.given(step)
        async with contextlib.AsyncExitStack() as stack:
            bound = await stack.enter_async_context(surroundings.bound(evaluator, step.services))
            hosts = (("127.0.0.1", running.hostname), *bound.hosts)
            room: Prepared = await stack.enter_async_context(
                prepared(evaluator, surroundings, step, given, hosts=hosts, own_network=True)
            )
            scrubbers = {name: Scrubber(room.secrets) for name in STREAMS}

            def write(stream: Stream, data: bytes) -> None:
                shown = scrubbers[stream].feed(data)
                if shown:
                    running.note(shown)
                    evaluator.events.emit(StepOutput(identity, stream, shown))

            process = await stack.enter_async_context(
                sandbox.start(room.spec, lambda d: write("stdout", d), lambda d: write("stderr", d))
            )
            running.process = process
            async with anyio.create_task_group() as group:
                forwarder = Forwarder(group)
                for dependency in bound.services:
                    for port in dependency.service.ports:
                        await forwarder.inward(process.pid, dependency.address, port.port)
                for port in service_ports(running.service):
                    forwarder.outward(process.pid, running.address, port.port)
                group.start_soon(self._check_health, running, process.pid)
                group.start_soon(self._stop_when_asked, running, process)
                running.exit_code = await process.wait()
                for name, scrubber in scrubbers.items():
                    rest = scrubber.flush()
                    running.note(rest)
                    if rest:
                        evaluator.events.emit(StepOutput(identity, name, rest))
                group.cancel_scope.cancel()

    @staticmethod
    async def _check_health(running: Running, pid: int) -> None:
        for port in running.service.ports:
            if port.experimental_skip_healthcheck or port.protocol != "TCP":
                continue
            pause = 0.005
            while not await sandbox.listens(pid, port.port):
                await anyio.sleep(pause)
                pause = min(pause * 1.5, 0.25)
        running.started.set()

    @staticmethod
    async def _stop_when_asked(running: Running, process: sandbox.Process) -> None:
        await running.stopping.wait()
        process.signal(15)
        await anyio.sleep(_STOP)
        process.kill()

    @staticmethod
    async def _forward(running: Running, address: str, upstream: str) -> None:
        """Open the service's ports at ``address`` and lead them to ``upstream`` until it is stopped."""
        async with anyio.create_task_group() as group:
            forwarder = Forwarder(group)
            opened = []
            for port, upstream_port, protocol in running.service.forwards:
                if protocol != "TCP":
                    raise EngineError(f"port {port}/{protocol}: only TCP ports can be forwarded")
                opened.append(Port(forwarder.plain(address, port, upstream, upstream_port)))
            running.opened = tuple(opened)
            running.started.set()
            await running.stopping.wait()
            running.exit_code = 0
            group.cancel_scope.cancel()


def service_ports(service: Service) -> tuple[Port, ...]:
    """The TCP ports that a service is reached at."""
    return tuple(port for port in service.ports if port.protocol == "TCP")


_HOSTNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?")


def valid_hostname(name: str) -> bool:
    """Whether a name may stand for a service in /etc/hosts."""
    return bool(_HOSTNAME.fullmatch(name)) and len(name) <= 253
