"""One instance of a revision: started, found ready, watched, and stopped as Cloud Run does it."""

import asyncio
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from ci.engine.sandbox import CommandNotExecutable, CommandNotFound, Process, SandboxError, start
from infra.local.runtime import memory, probes
from infra.local.runtime.container import Prepared, container
from infra.local.runtime.contract import DeployFailed, Log, LogEntry, Probe, RevisionSpec
from infra.local.runtime.inside import Inside
from infra.local.runtime.metadata import Identity, Metadata, Self
from infra.local.runtime.metadata.server import Connection
from infra.local.runtime.output import Lines

GRACE = 10.0  # seconds from SIGTERM to SIGKILL


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What instances share: where their files go, who signs their tokens, how a project is numbered."""

    folder: Path
    identity: Identity
    number: Callable[[str], str]


@asynccontextmanager
async def running(
    spec: RevisionSpec,
    prepared: Prepared,
    around: Surroundings,
    log: Log,
    *,
    name: str,
    more: dict[str, str],
) -> AsyncIterator[tuple[Process, Inside]]:
    """Run a container with a metadata server inside; it lives no longer than this context.

    Raises DeployFailed when it can't be set up.
    """
    number = around.number(spec.project)
    who = Self(
        spec.project,
        number,
        spec.location,
        name,
        spec.service_account or f"{number}-compute@developer.gserviceaccount.com",
    )
    metadata = Metadata(who, around.identity)
    loop = asyncio.get_running_loop()
    streams = [Lines(spec.key, stream, log) for stream in ("stdout", "stderr")]
    insides: list[Inside] = []
    servers: list[asyncio.Server] = []

    async def prepare(pid: int) -> None:
        inside = Inside(pid, spec.port)
        listener = await inside.open()
        servers.append(await loop.create_server(lambda: Connection(metadata), sock=listener))
        insides.append(inside)

    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{spec.name[:40]}-", dir=around.folder))
        try:
            box = container(spec, prepared, folder, more)
            async with start(box, streams[0], streams[1], prepare) as process:
                yield process, insides[0]
        finally:
            for server in servers:
                server.close()
            for inside in insides:
                inside.close()
            for stream in streams:
                stream.end()
            await anyio.to_thread.run_sync(lambda: shutil.rmtree(folder, ignore_errors=True))
    except (SandboxError, OSError) as error:
        raise DeployFailed(
            "HEALTH_CHECK_CONTAINER_ERROR", f"The container failed to start: {error}"
        ) from error


class Instance:
    """One instance. `run` is its life; `started` is set once it is ready or never will be.

    `failure` says why it never became ready; `born` is when it was made (time.monotonic()).
    `in_flight` requests are with it, `idle_since` is when the last one left (time.monotonic()).
    """

    def __init__(self, spec: RevisionSpec, prepared: Prepared, around: Surroundings, log: Log) -> None:
        self.id = secrets.token_hex(32)
        self.born = time.monotonic()
        self.in_flight = 0
        self.idle_since = time.monotonic()
        self.ready = False
        self.failure: DeployFailed | None = None
        self.stopping = False
        self.started = anyio.Event()
        self.ended = anyio.Event()
        self.startup_seconds = 0.0
        self._spec = spec
        self._prepared = prepared
        self._around = around
        self._log = log
        self._stop = anyio.Event()
        self._inside: Inside | None = None

    def stop(self) -> None:
        """Ask it to end: SIGTERM, and SIGKILL when that has no effect within 10 seconds."""
        self.stopping, self.ready = True, False
        self._stop.set()

    def condemn(self) -> None:
        """Nobody listens in it any more: give it no further request, and end it."""
        self.ready = False
        self._stop.set()

    async def dial(self, port: int | None = None) -> socket.socket:
        """A connection to the container's port, non-blocking. Raises OSError."""
        if self._inside is None:
            raise ConnectionRefusedError("the instance has ended")
        return await self._inside.dial(port)

    async def run(self, on_ready: Callable[["Instance"], None]) -> None:
        """Live: start, tell when ready, watch; return when nothing of it is left; failures are kept."""
        spec = self._spec
        more = {
            "PORT": str(spec.port),
            "K_SERVICE": spec.service,
            "K_REVISION": spec.name,
            "K_CONFIGURATION": spec.service,
        }
        began = time.monotonic()
        try:
            async with running(spec, self._prepared, self._around, self._log, name=self.id, more=more) as (
                process,
                inside,
            ):
                self._inside = inside
                async with anyio.create_task_group() as group:
                    group.start_soon(self._until_exit, process, group.cancel_scope)
                    group.start_soon(self._hold_to_memory, process)
                    if await self._starts(process):
                        self.ready, self.startup_seconds = True, time.monotonic() - began
                        self.idle_since = time.monotonic()
                        self.started.set()
                        on_ready(self)
                        if spec.liveness_probe is not None:
                            group.start_soon(self._check_liveness, spec.liveness_probe, process)
                        await self._stop.wait()
                    await self._terminate(process)
        except DeployFailed as error:
            self._fail(error)
        finally:
            self.ready, self._inside = False, None
            self._fail(DeployFailed("HEALTH_CHECK_CONTAINER_ERROR", _never_listens(spec)))
            self.started.set()
            self.ended.set()

    async def _starts(self, process: Process) -> bool:
        """Wait for the startup probe; False when it fails, or the instance is to stop before it passes."""
        probe = self._spec.startup_probe or probes.default_startup(self._spec.port)
        result = False

        async def check(scope: anyio.CancelScope) -> None:
            nonlocal result
            result = await probes.startup(probe, self.dial)
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(check, group.cancel_scope)
            await self._stop.wait()
            group.cancel_scope.cancel()
        if not result and not self.stopping:
            self._say("ERROR", _probe_failed("STARTUP", probe))
            default = self._spec.startup_probe is None
            self._fail(
                DeployFailed(
                    "HEALTH_CHECK_CONTAINER_ERROR",
                    _never_listens(self._spec)
                    if default
                    else "The user-provided container failed the configured startup probe checks. Logs for "
                    "this revision might contain more information.",
                )
            )
            process.kill()
        return result

    async def _until_exit(self, process: Process, scope: anyio.CancelScope) -> None:
        try:
            code = await process.wait()
        except (CommandNotFound, CommandNotExecutable) as error:
            self._say("ERROR", f"terminated: Application failed to start: {error}")
            self._fail(
                DeployFailed("HEALTH_CHECK_CONTAINER_ERROR", f"Application exec likely failed: {error}")
            )
        except SandboxError as error:
            self._fail(
                DeployFailed("HEALTH_CHECK_CONTAINER_ERROR", f"The container failed to start: {error}")
            )
        else:
            if not self.stopping:
                self._say("WARNING" if code else "INFO", f"Container called exit({code}).")
        scope.cancel()

    async def _hold_to_memory(self, process: Process) -> None:
        limit = self._spec.memory
        used = await memory.exceeded(process.pid, limit)
        self.ready = False
        process.kill()
        text = memory.message(limit, used)
        self._say("ERROR", text)
        self._fail(DeployFailed("HEALTH_CHECK_CONTAINER_ERROR", text))

    async def _check_liveness(self, probe: Probe, process: Process) -> None:
        await anyio.sleep(probe.initial_delay)
        failures = 0
        while True:
            failures = 0 if await probes.healthy(probe, self.dial) else failures + 1
            if failures >= probe.failure_threshold:
                self._say("ERROR", _probe_failed("LIVENESS", probe))
                self.ready = False
                process.kill()
            await anyio.sleep(probe.period)

    async def _terminate(self, process: Process) -> None:
        process.signal(signal.SIGTERM)
        await anyio.sleep(GRACE)  # the end of the process cuts it short
        process.kill()
        await anyio.sleep_forever()

    def _fail(self, failure: DeployFailed) -> None:
        if not self.started.is_set() and self.failure is None:
            self.failure = failure

    def _say(self, severity: str, text: str) -> None:
        payload = {"instanceId": self.id}
        self._log(LogEntry(self._spec.key, "system", text, time.time(), severity, payload))


def _never_listens(spec: RevisionSpec) -> str:
    return (
        "The user-provided container failed to start and listen on the port defined provided by the "
        f"PORT={spec.port} environment variable within the allocated timeout. This can happen when the "
        "container port is misconfigured or if the timeout is too short. The health check timeout can be "
        "extended. Logs for this revision might contain more information."
    )


def _probe_failed(what: str, probe: Probe) -> str:
    where = f'path "{probe.path}"' if probe.kind == "http" else f'service "{probe.service}"'
    detail = "" if probe.kind == "tcp" else f", {where}"
    return (
        f"{what} {probe.kind.upper()} probe failed {probe.failure_threshold} "
        f"{'time' if probe.failure_threshold == 1 else 'times'} consecutively for container on port "
        f"{probe.port}{detail}. The instance was not started."
        if what == "STARTUP"
        else f"{what} {probe.kind.upper()} probe failed {probe.failure_threshold} times consecutively for "
        f"container on port {probe.port}{detail}. The instance has been shut down."
    )
