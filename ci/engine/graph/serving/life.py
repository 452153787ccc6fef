"""The life of one service: its process and its ports, or a way to or from the host's."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from ci.engine import sandbox
from ci.engine.errors import EngineError, ExecError
from ci.engine.events import DIGEST, STREAMS, Step, Stream, innermost
from ci.engine.graph.container import Port
from ci.engine.graph.serving.forward import Forwarder
from ci.engine.graph.serving.healthcheck import RETRIES, HealthCheck
from ci.engine.graph.steps.complaints import complaint
from ci.engine.graph.steps.execution import Exec
from ci.engine.graph.steps.rooms import prepared
from ci.engine.graph.steps.scrub import Scrubber

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.serving.service import Running, Service
    from ci.engine.graph.steps.surroundings import Bound, Surroundings

#: Seconds between being asked to stop and being killed, as Dagger's own engine has it.
_STOP = 10.0
#: Seconds after which one is told why a port is not ready yet.
_PATIENCE = 3.0


async def live(evaluator: Evaluator, surroundings: Surroundings, running: Running) -> None:
    """Run a service to its end; how it came to that is kept in ``running``."""
    service = running.service
    title = service.step.title if service.step else "tunnel"
    attributes = {DIGEST: f"sha256:{service.digest}"}
    try:
        with evaluator.events.step(f"service {running.hostname} {title}", attributes) as shown:
            if service.step is not None:
                await _Life(evaluator, surroundings, running, service.step, shown).run()
            elif service.tunnelled is not None:
                await _tunnel(evaluator, surroundings, running, service.tunnelled, shown)
            else:
                await _of_the_host(surroundings, running, service.upstream)
    except* EngineError as errors:
        running.error = _first(errors)
    except* Exception as errors:  # noqa: BLE001  told to whoever waits  # pylint: disable=broad-exception-caught
        running.error = EngineError(f"{type(errors.exceptions[0]).__name__}: {errors.exceptions[0]}")


def _first(group: BaseExceptionGroup[EngineError]) -> EngineError:
    error = innermost(group)
    return error if isinstance(error, EngineError) else EngineError(str(error))


class _Life:
    """That of a container's process."""

    def __init__(
        self, evaluator: Evaluator, surroundings: Surroundings, running: Running, step: Exec, shown: Step
    ) -> None:
        self._evaluator = evaluator
        self._surroundings = surroundings
        self._running = running
        self._step = step
        self._shown = shown
        self._scrubbers: dict[Stream, Scrubber] = {}

    async def run(self) -> None:
        """Run it until it ends, is stopped, or loses a service that it is bound to."""
        running, step = self._running, self._step
        given = await self._evaluator.given(step)
        harbour = self._surroundings.services.harbour
        async with contextlib.AsyncExitStack() as stack:
            berth = await stack.enter_async_context(harbour.service(privileged=step.privileged))
            running.inner = berth.address or running.address
            bound = await stack.enter_async_context(self._surroundings.bound(self._evaluator, step.services))
            hosts = ((running.inner, running.hostname), *bound.hosts(inside=True))
            room = await stack.enter_async_context(
                prepared(
                    self._evaluator,
                    self._surroundings,
                    step,
                    given,
                    hosts=hosts,
                    berth=berth,
                    own_network=not berth.address,
                )
            )
            running.spec = room.spec
            self._scrubbers = {name: Scrubber(room.secrets) for name in STREAMS}
            running.process = await stack.enter_async_context(
                sandbox.start(
                    room.spec,
                    lambda data: self._heard("stdout", data),
                    lambda data: self._heard("stderr", data),
                    berth=berth,
                    joinable=True,
                )
            )
            running.exit_code = await self._to_its_end(running.process, room.spec, bound)
            for name, scrubber in self._scrubbers.items():
                self._tell(name, scrubber.flush())

    async def _to_its_end(self, process: sandbox.Process, spec: sandbox.Spec, bound: Bound) -> int:
        """Its exit code, also when there was nothing to run."""
        try:
            return await self._beside(process, spec, bound)
        except* sandbox.SandboxError as errors:
            text = complaint(innermost(errors), self._step.args[0])
            if text is None:
                raise
            self._heard("stderr", f"{text}\n".encode())
        return 1

    async def _beside(self, process: sandbox.Process, spec: sandbox.Spec, bound: Bound) -> int:
        """Its exit code; its ports, its health and the services it needs are looked after meanwhile."""
        harbour = self._surroundings.services.harbour
        async with anyio.create_task_group() as group:
            forwarder = Forwarder(group)
            for port in self._running.service.ports:
                # Where everybody has a network of their own, those on the host's only may want it.
                with contextlib.suppress(*(EngineError,) if harbour.apart else ()):
                    self._open(forwarder, process.pid, port)
            group.start_soon(self._open_as_they_come, forwarder, process.pid)
            if self._running.inner == self._running.address:
                group.start_soon(self._reach_others, forwarder, process.pid)
            group.start_soon(self._become_healthy, process.pid, spec)
            group.start_soon(self._stop_when_asked, process)
            code = await bound.watch(process.wait)
            group.cancel_scope.cancel()
        return code

    def _heard(self, stream: Stream, data: bytes) -> None:
        self._tell(stream, self._scrubbers[stream].feed(data))

    def _tell(self, stream: Stream, data: bytes) -> None:
        if data:
            self._running.note(stream, data)
            self._shown.write(stream, data)

    def _open(self, forwarder: Forwarder, pid: int, port: Port) -> None:
        running = self._running
        if port.protocol == "TCP":
            running.reached |= {port.port}
            forwarder.outward(pid, running.inner, running.address, port.port)
        else:
            forwarder.outward_datagrams(pid, running.inner, running.address, port.port)

    async def _open_as_they_come(self, forwarder: Forwarder, pid: int) -> None:
        """Open whatever the process listens on: a port need not be declared to be reached."""
        pause = 0.02
        while True:
            found = await self._evaluator.in_thread(sandbox.open_ports, pid)
            new = found - self._running.reached
            for port in new:
                with contextlib.suppress(EngineError):  # nobody asked for this one
                    self._open(forwarder, pid, Port(port))
            if new:
                self._surroundings.services.tell()
            await anyio.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    async def _reach_others(self, forwarder: Forwarder, pid: int) -> None:
        """Make the session's other services reachable, where there is no network between them.

        All but their ports of the same number as its own: whoever listens on those at every address could
        not do so any more.
        """
        services, done = self._surroundings.services, set[tuple[str, int]]()
        own = {port.port for port in self._running.service.ports}
        while True:
            changed = services.changed
            others = {
                (other.address, port)
                for other in services.alive()
                if other is not self._running
                for port in other.reached - own - self._running.reached
            }
            for address, port in others - done:
                done.add((address, port))
                with contextlib.suppress(OSError):  # the process is gone
                    await forwarder.inward(pid, address, port)
            await changed.wait()

    async def _become_healthy(self, pid: int, spec: sandbox.Spec) -> None:
        check = self._running.service.check
        if check is not None:
            await self._pass(check, pid, spec)
        else:
            for port in self._running.service.ports:
                if not port.experimental_skip_healthcheck and port.protocol == "TCP":
                    await self._listening(pid, port.port)
        self._running.started.set()
        self._surroundings.services.tell()

    async def _listening(self, pid: int, port: int) -> None:
        pause, began, told = 0.005, time.monotonic(), False
        while not await sandbox.listens(pid, self._running.inner, port):
            await anyio.sleep(pause)
            pause = min(pause * 1.5, 0.25)
            if not told and time.monotonic() - began > _PATIENCE:
                told = True
                local = await sandbox.listens(pid, "127.0.0.1", port)
                reason = (
                    "is listened on at 127.0.0.1 alone: listen on 0.0.0.0" if local else "is not ready yet"
                )
                self._tell("stderr", f"[port {port} {reason}]\n".encode())

    async def _pass(self, check: HealthCheck, pid: int, spec: sandbox.Spec) -> None:
        """Run a health check until it succeeds; ExecError when it failed too often in a row."""
        patience, failed = time.monotonic() + check.start_period / 1e9, 0
        while True:
            ran = await sandbox.run_inside(pid, spec, check.command)
            if not ran.exit_code:
                return
            failed += time.monotonic() > patience
            if failed == (check.retries or RETRIES):
                stdout, stderr = ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace")
                context = "health check errored: "
                raise ExecError(check.command, ran.exit_code, stdout, stderr, context=context, stripped=False)
            await anyio.sleep(check.pause)

    async def _stop_when_asked(self, process: sandbox.Process) -> None:
        await self._running.stopping.wait()
        process.signal(15)
        await anyio.sleep(_STOP)
        process.kill()


async def _tunnel(
    evaluator: Evaluator, surroundings: Surroundings, running: Running, service: Service, shown: Step
) -> None:
    async with surroundings.services.using(evaluator, surroundings, (("", service),)) as (target,):
        # Not at every address: a service's own address, at the same port, is one of them.
        await _forward(surroundings, running, "127.0.0.1", target.address, name=target.hostname, shown=shown)


async def _of_the_host(surroundings: Surroundings, running: Running, upstream: str) -> None:
    """Lead a service's ports to the host's, for steps and for other services."""
    network = await surroundings.services.harbour.network()
    async with anyio.create_task_group() as group:
        if network is not None:
            running.inner = network.address()
            await anyio.to_thread.run_sync(network.take, running.inner)
            forwarder = Forwarder(group)
            for port, upstream_port, protocol in running.service.forwards:
                if protocol == "TCP":
                    await forwarder.into(network.hub.namespace, running.inner, port, upstream, upstream_port)
        await _forward(surroundings, running, running.address, upstream)
        group.cancel_scope.cancel()


async def _forward(
    surroundings: Surroundings,
    running: Running,
    address: str,
    upstream: str,
    *,
    name: str = "",
    shown: Step | None = None,
) -> None:
    """Open the service's ports at ``address`` and lead them to ``upstream`` until it is stopped.

    Which ports these are is told as the output of ``shown``.
    """
    async with anyio.create_task_group() as group:
        forwarder = Forwarder(group)
        opened = []
        for port, upstream_port, protocol in running.service.forwards:
            if protocol != "TCP":
                raise EngineError(f"port {port}/{protocol}: only TCP ports can be forwarded")
            number = forwarder.plain(address, port, upstream, upstream_port)
            text = f"tunnel {address}:{number} -> {name}:{upstream_port}"
            opened.append(
                Port(number, description=text if name else f"tunnel tcp {number} -> {upstream_port}")
            )
            if shown is not None:
                shown.write("stderr", f"{text}\n".encode())
        running.opened = tuple(opened)
        running.reached = frozenset(port.port for port in opened)
        running.started.set()
        surroundings.services.tell()
        await running.stopping.wait()
        running.exit_code = 0
        group.cancel_scope.cancel()
