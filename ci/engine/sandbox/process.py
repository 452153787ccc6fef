"""Running one container: start it, deliver its output as it comes, learn how it ended, leave nothing."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

import anyio

from ci.engine.sandbox import kernel, launch
from ci.engine.sandbox.berth import Berth, anywhere, confinable
from ci.engine.sandbox.command import prepared
from ci.engine.sandbox.filter.choice import chosen
from ci.engine.sandbox.host import enter
from ci.engine.sandbox.spec import Spec

Output = Callable[[bytes], None]
Prepare = Callable[[int], Awaitable[None]]

CHUNK = 65536  # bytes of output delivered at once, at most
_RETRY = 0.002  # seconds until the next look for a command that is about to be started


class Process:
    """A running container, as start() yields it. ``pid`` is its first process, as the host counts."""

    def __init__(
        self, spec: Spec, launched: launch.Launched, stdout: Output, stderr: Output, berth: Berth
    ) -> None:
        self.pid = 0
        self._spec = spec
        self._launched = launched
        self._berth = berth
        self._init = -1
        self._exit_code: int | None = None
        self._failure: Exception | None = None
        self._complaints = launch.Complaints(lambda chunk: self._deliver(stderr, chunk))
        self._status = b""
        self._watched: set[int] = set()
        self._told = anyio.Event()
        self._ended = anyio.Event()
        self._loop = asyncio.get_running_loop()
        self._read(launched.stdout, lambda chunk: self._deliver(stdout, chunk))
        self._read(launched.stderr, self._complaints.hear)
        self._read(launched.status, self._learn)
        self._watch(launched.exited, self._launcher_exited)

    @classmethod
    async def begin(
        cls,
        spec: Spec,
        options: list[str],
        stdout: Output,
        stderr: Output,
        *,
        prepare: Prepare | None,
        joinable: bool,
        berth: Berth,
    ) -> Self:
        """Start bwrap with ``options``, and the command as soon as the container's first process is known.

        Raises:
            SandboxError: bwrap gave up.
        """
        process = cls(spec, launch.bwrap(spec, options, enter(), berth), stdout, stderr, berth)
        try:
            await process.release(prepare, joinable=joinable)
        except BaseException:
            await process.end()
            raise
        return process

    async def release(self, prepare: Prepare | None, *, joinable: bool) -> None:
        """Let the command start: from here on the container can be ended as a whole."""
        await self._told.wait()
        if not self.pid:
            await self.wait()  # raises what bwrap said
        self._berth.admit(self.pid)
        filters = chosen(self._spec)
        if joinable or prepare is not None:
            await self._launched.reach_gate(filters)
        if prepare is not None:
            await prepare(self.pid)
        self._launched.open_gate(filters)

    async def wait(self) -> int:
        """The command's exit code, 128+n when signal n ended it, once all processes are gone and all is read.

        Raises:
            CommandNotFound, CommandNotExecutable: there was nothing to run.
            SandboxError: the container could not be set up.
            Exception: whatever an output callback raised, which also ended the container.
        """
        await self._ended.wait()
        if self._failure is not None:
            raise self._failure
        if self._exit_code is not None:
            return self._exit_code
        code = self._launched.process.returncode
        if self._complaints.text or not self.pid:
            raise launch.explain(self._complaints.text, self._spec)
        return 128 - code if code < 0 else code

    def signal(self, number: int) -> None:
        """Send a signal to the command (not to its children); after its end this does nothing."""
        if self._ended.is_set() or self._init == -1:
            return
        if not self._spec.init:
            kernel.kill(self._init, number)
            return
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        try:
            command = children.read_text(encoding="ascii").split()[0]
        except IndexError:  # pid 1 is there and has not started the command yet
            self._loop.call_later(_RETRY, self.signal, number)
        except OSError:
            return
        else:
            with suppress(ProcessLookupError):
                os.kill(int(command), number)

    def kill(self) -> None:
        """End every process of the container at once; wait() tells when they are gone."""
        if self._init != -1:
            kernel.kill(self._init)
        if self._launched.exited in self._watched:
            self._launched.kill()

    async def end(self) -> None:
        """Kill what still runs and wait, uncancellably, until nothing of the container is left."""
        with anyio.CancelScope(shield=True):
            self._launched.close_gate()
            self.kill()
            await self._ended.wait()

    def _watch(self, descriptor: int, ready: Callable[[], None]) -> None:
        self._watched.add(descriptor)
        self._loop.add_reader(descriptor, ready)

    def _forget(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        self._watched.discard(descriptor)
        os.close(descriptor)
        if self._watched:
            return
        if self._exit_code is not None:
            self._complaints.release()
        self._ended.set()

    def _read(self, descriptor: int, deliver: Callable[[bytes], None]) -> None:
        def ready() -> None:
            chunk = os.read(descriptor, CHUNK)
            if chunk:
                deliver(chunk)
            else:
                self._forget(descriptor)
                if descriptor == self._launched.status:
                    self._told.set()

        self._watch(descriptor, ready)

    def _deliver(self, output: Output, chunk: bytes) -> None:
        if self._failure is not None:
            return
        try:
            output(chunk)
        except Exception as error:  # noqa: BLE001  pylint: disable=broad-exception-caught
            # wait() raises it.
            self._failure = error
            self.kill()

    def _learn(self, chunk: bytes) -> None:
        """Read bwrap's --json-status-fd: the first process, later the exit code if the command was run."""
        *lines, self._status = (self._status + chunk).split(b"\n")
        for line in lines:
            status = json.loads(line)
            if "child-pid" in status:
                self.pid = status["child-pid"]
                # It can't have come and gone: bwrap has not reaped it, and it is waiting at the gate.
                self._init = os.pidfd_open(self.pid)
                self._watch(self._init, self._init_exited)
                self._told.set()
            self._exit_code = status.get("exit-code", self._exit_code)

    def _init_exited(self) -> None:
        descriptor, self._init = self._init, -1
        self._forget(descriptor)

    def _launcher_exited(self) -> None:
        self._launched.kill()  # whoever ended it, its child may still wait for it
        self._launched.process.wait()
        if self._init != -1:
            kernel.kill(self._init)
        self._forget(self._launched.exited)


@asynccontextmanager
async def start(
    spec: Spec,
    stdout: Output,
    stderr: Output,
    prepare: Prepare | None = None,
    berth: Berth | None = None,
    *,
    joinable: bool = False,
) -> AsyncIterator[Process]:
    """Run ``spec`` in a container that lives no longer than this context.

    Leaving the context, also by an exception or a cancellation, kills every process of the container, waits
    until they are gone and unmounts everything. ``stdout`` and ``stderr`` are called from the event loop with
    each chunk (at most 64 KiB) as it arrives; ``prepare`` is called with the container's first process before
    the command starts; ``berth`` is where it is started from, one on the host's network and without limits
    if there is none. A ``joinable`` container is complete once it is yielded, as it is for ``prepare``:
    whoever joins its first process earlier is not in its root, nor in a network that works. Needs an asyncio
    event loop; the thread it runs in must outlive the context, for the kernel ends a container with the
    thread that started it.

    Raises:
        SandboxUnavailable: the host lacks something.
        SandboxError: the spec makes no sense, or the container can't be set up.
    """
    with prepared(spec, enter()) as options:
        place = berth or anywhere(confined=confinable(spec))
        process = await Process.begin(
            spec, options, stdout, stderr, prepare=prepare, joinable=joinable, berth=place
        )
        try:
            yield process
        finally:
            await process.end()


async def run(spec: Spec, stdout: Output, stderr: Output, berth: Berth | None = None) -> int:
    """Run ``spec`` to its end and return the exit code; errors are those of start() and Process.wait()."""
    async with start(spec, stdout, stderr, berth=berth) as process:
        if berth is None:
            return await process.wait()
        async with berth.guarded(process.kill):
            return await process.wait()
