"""One instance of a revision: started, found ready, watched, and stopped as Cloud Run does it."""

import secrets
import signal
import socket
import time
from collections.abc import Callable

import anyio

from ci.engine.sandbox import CommandNotExecutable, CommandNotFound, Process, SandboxError
from infra.local.runtime import memory, probes, words
from infra.local.runtime.contract import DeployFailed, Log, LogEntry, Probe, RevisionSpec
from infra.local.runtime.network import Plug
from infra.local.runtime.rootfs import Prepared
from infra.local.runtime.running import Running, Surroundings, running

GRACE = 10.0  # seconds from SIGTERM to SIGKILL


class Instance:
    """One instance. `run` is its life; `started` is set once it serves or never will.

    `failure` says why it never did; `born` is when it was made (time.monotonic()). While it is `serving`, it
    counts; it gets requests while it is `ready` too: its readiness probe may keep them away.
    `in_flight` requests are with it, `idle_since` is when the last one left (time.monotonic()).
    """

    def __init__(self, spec: RevisionSpec, prepared: Prepared, around: Surroundings, log: Log) -> None:
        self.id = secrets.token_hex(32)
        self.born = time.monotonic()
        self.in_flight = 0
        self.idle_since = self.born
        self.serving = False
        self.stopping = False
        self.failure: DeployFailed | None = None
        self.started = anyio.Event()
        self.ended = anyio.Event()
        self.startup_seconds = 0.0
        self._spec = spec
        self._prepared = prepared
        self._around = around
        self._log = log
        self._well = True
        self._condemned = False  # why it ended has been said
        self._stop = anyio.Event()
        self._plug: Plug | None = None

    @property
    def ready(self) -> bool:
        """Whether it may be given a request."""
        return self.serving and self._well

    def stop(self) -> None:
        """Ask it to end: SIGTERM, and SIGKILL when that has no effect within 10 seconds."""
        self.stopping, self.serving = True, False
        self._stop.set()

    def condemn(self) -> None:
        """Nobody listens in it any more: give it no further request, and end it."""
        self.serving = False
        self._stop.set()

    async def dial(self, port: int | None = None) -> socket.socket:
        """A connection to the container's port, non-blocking. Raises OSError."""
        if self._plug is None:
            raise ConnectionRefusedError("the instance has ended")
        return await self._plug.dial(port or self._spec.port)

    async def run(self, on_ready: Callable[["Instance"], None]) -> None:
        """Live: start, tell each time it is ready, watch; return when nothing is left; failures are kept."""
        spec = self._spec
        more = {
            "PORT": str(spec.port),
            "K_SERVICE": spec.service,
            "K_REVISION": spec.name,
            "K_CONFIGURATION": spec.service,
        }
        try:
            async with running(
                spec, self._prepared, self._around, self._log, name=self.id, more=more
            ) as container:
                await self._live(container, on_ready)
        except DeployFailed as error:
            self._fail(error)
        finally:
            self.serving, self._plug = False, None
            probe = spec.startup_probe or probes.default_startup(spec.port)
            self._fail(words.retired() if self.stopping else words.not_started(probe, spec))
            self.started.set()
            self.ended.set()

    async def _live(self, container: Running, on_ready: Callable[["Instance"], None]) -> None:
        self._plug = container.plug
        async with anyio.create_task_group() as group:
            group.start_soon(self._until_exit, container.process, group.cancel_scope)
            group.start_soon(self._hold_to_memory, container)
            if await self._starts(container.process):
                self.serving, self.idle_since = True, time.monotonic()
                self.startup_seconds = self.idle_since - self.born
                self.started.set()
                on_ready(self)
                if self._spec.liveness_probe is not None:
                    group.start_soon(self._check_liveness, self._spec.liveness_probe, container.process)
                if self._spec.readiness_probe is not None:
                    group.start_soon(self._check_readiness, self._spec.readiness_probe, on_ready)
                await self._stop.wait()
            await self._terminate(container.process)

    async def _starts(self, process: Process) -> bool:
        """Wait for the startup probe; False when it fails, or the instance is to stop before it passes."""
        probe = self._spec.startup_probe or probes.default_startup(self._spec.port)
        attempts = 0

        async def check(scope: anyio.CancelScope) -> None:
            nonlocal attempts
            attempts = await probes.startup(probe, self.dial)
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(check, group.cancel_scope)
            await self._stop.wait()
            group.cancel_scope.cancel()
        if attempts:
            self.say("INFO", words.probe_succeeded(probe, self._spec, attempts))
        elif not self.stopping:
            self._fail(words.not_started(probe, self._spec))
            self._end(process, words.probe_failed("STARTUP", probe, self._spec))
        return attempts > 0 and not self.stopping

    async def _until_exit(self, process: Process, scope: anyio.CancelScope) -> None:
        try:
            code = await process.wait()
        except (CommandNotFound, CommandNotExecutable) as error:
            failure = words.not_executable(error)
            self.say("ERROR", failure.message)
            self._fail(failure)
        except SandboxError as error:
            self._fail(words.not_set_up(error))
        else:
            if not self.stopping and not self._condemned:
                self.say("WARNING" if code else "INFO", words.ended(code))
        scope.cancel()

    async def _hold_to_memory(self, container: Running) -> None:
        text = memory.message(self._spec.memory, await container.exceeds_memory())
        self._fail(DeployFailed(words.UNHEALTHY, text))
        self._end(container.process, text)

    async def _check_liveness(self, probe: Probe, process: Process) -> None:
        async for _ in probes.watch(probe, self.dial):
            self._end(process, words.probe_failed("LIVENESS", probe, self._spec))

    async def _check_readiness(self, probe: Probe, on_ready: Callable[["Instance"], None]) -> None:
        async for well in probes.watch(probe, self.dial):
            self._well = well
            if well:
                on_ready(self)
            else:
                self.say("WARNING", words.probe_failed("READINESS", probe, self._spec))

    def _end(self, process: Process, why: str) -> None:
        """Kill it, and say why."""
        self.serving, self._condemned = False, True
        process.kill()
        self.say("ERROR", why)

    async def _terminate(self, process: Process) -> None:
        process.signal(signal.SIGTERM)
        await anyio.sleep(GRACE)  # the end of the process cuts it short
        process.kill()
        await anyio.sleep_forever()

    def _fail(self, failure: DeployFailed) -> None:
        if not self.started.is_set() and self.failure is None:
            self.failure = failure

    def say(self, severity: str, text: str) -> None:
        """Log what becomes of it."""
        payload = {"instanceId": self.id}
        self._log(LogEntry(self._spec.key, "system", text, time.time(), severity, payload))
