"""Runs one step: looks in the cache, shows it its file systems, runs it, keeps what it leaves behind."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ci.engine import sandbox
from ci.engine.errors import OUTPUT_LIMIT, EngineError, ExecError, NotStarted
from ci.engine.events import DIGEST, STREAMS, Step, Stream
from ci.engine.graph.steps import capture
from ci.engine.graph.steps.complaints import complaint, lone_user
from ci.engine.graph.steps.execution import EXPECTED, Exec, Given, Result
from ci.engine.graph.steps.harvest import harvest
from ci.engine.graph.steps.rooms import Prepared, prepared
from ci.engine.graph.steps.scrub import Scrubber
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, Lost

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.steps.surroundings import Bound, Surroundings


class StepRunner(Protocol):
    """Runs steps."""

    async def run(self, evaluator: Evaluator, step: Exec, key: str, given: Given) -> Result:
        """The step's result, from the cache or by running it."""


@dataclass(slots=True)
class _Streams:
    """A step's output on its way: scrubbed, shown live, and kept."""

    show: Callable[[Stream, bytes], None]
    scrubbers: dict[Stream, Scrubber]
    kept: dict[str, capture.Capture]

    def write(self, stream: Stream, data: bytes) -> None:
        """Take what the step printed."""
        self._pass(stream, self.scrubbers[stream].feed(data))

    def finish(self) -> None:
        """Pass on what was held back."""
        for stream, scrubber in self.scrubbers.items():
            self._pass(stream, scrubber.flush())

    def close(self) -> None:
        """Give up what was kept."""
        for kept in self.kept.values():
            kept.close()

    def _pass(self, stream: Stream, data: bytes) -> None:
        if data:
            self.kept[stream].write(data)
            self.kept["combined"].write(data)
            self.show(stream, data)


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a step's process has around it: its services, where it is started, and what it sees."""

    bound: Bound
    berth: sandbox.Berth
    room: Prepared


@contextlib.asynccontextmanager
async def outfitted(
    evaluator: Evaluator, surroundings: Surroundings, step: Exec, given: Given
) -> AsyncIterator[Outfit]:
    """Have all around a step that its process needs, for as long as the context lasts.

    Raises:
        ExecError: a service that it is bound to did not start.
        NotStarted: something else of it can't be had.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            bound = await stack.enter_async_context(surroundings.bound(evaluator, step.services))
        except ExecError:
            raise
        except EngineError as error:
            raise NotStarted(step.args, error.message) from error
        harbour = surroundings.services.harbour
        berth = await stack.enter_async_context(harbour.step(privileged=step.privileged))
        hosts = bound.hosts(inside=bool(berth.address))
        room = await stack.enter_async_context(
            prepared(evaluator, surroundings, step, given, hosts=hosts, berth=berth)
        )
        ports = surroundings.loopback_ports(nesting=step.nesting)
        await stack.enter_async_context(harbour.reaching(berth, ports))
        yield Outfit(bound, berth, room)


class Steps:
    """The session's step runner."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def run(self, evaluator: Evaluator, step: Exec, key: str, given: Given) -> Result:
        """The result recorded under ``key``, else that of running the step now.

        Raises:
            ExecError: the command's exit code was not expected; nothing is recorded.
            EngineError: it could not be started.
        """
        with evaluator.events.step(f"withExec {step.title}", {DIGEST: f"sha256:{key}"}) as shown:
            if evaluator.wary:
                cached = await evaluator.in_thread(partial(_recorded, evaluator.store, key, wary=True))
            else:  # a look-up takes less than the way to another thread and back
                cached = _recorded(evaluator.store, key, wary=False)
            if cached is not None:
                shown.cached = True
                return cached
            return await self._run_now(evaluator, step, key, given, shown)

    async def _run_now(self, evaluator: Evaluator, step: Exec, key: str, given: Given, shown: Step) -> Result:
        store = evaluator.store
        async with outfitted(evaluator, self._surroundings, step, given) as outfit:
            room, berth = outfit.room, outfit.berth
            if notice := self._surroundings.services.harbour.notice():
                shown.write("stderr", f"[{notice}]\n".encode())
            with contextlib.closing(self._streams(shown, room, step)) as streams:
                code = await outfit.bound.watch(lambda: self._execute(room, streams, step, berth))
                streams.finish()
                if code not in EXPECTED[step.expect]:
                    alone = lone_user(streams.kept["stderr"].tail(OUTPUT_LIMIT))
                    for text in (*berth.complaints(), *((alone,) if alone else ())):
                        streams.write("stderr", f"[the step {text}]\n".encode())
                    streams.finish()
                    failure = self._failure(step, code, streams)
                    await self._surroundings.lending.after(room.spec, failure, berth)
                    raise failure

                def keep() -> Result:
                    outputs = {stream: kept.keep(store) for stream, kept in streams.kept.items()}
                    result = harvest(store, step, room, outputs, code)
                    store.index.record("exec", key, {**result.to_json(), "title": step.title})
                    return result

                return await evaluator.in_thread(keep)

    @staticmethod
    def _streams(shown: Step, room: Prepared, step: Exec) -> _Streams:
        whole = {
            "stdout": bool(step.redirect_stdout),
            "stderr": bool(step.redirect_stderr),
            "combined": False,
        }
        return _Streams(
            shown.write,
            {stream: Scrubber(room.secrets) for stream in STREAMS},
            {name: capture.Capture(room.folder, name, whole=wanted) for name, wanted in whole.items()},
        )

    @staticmethod
    async def _execute(room: Prepared, streams: _Streams, step: Exec, berth: sandbox.Berth) -> int:
        try:
            return await sandbox.run(
                room.spec,
                lambda data: streams.write("stdout", data),
                lambda data: streams.write("stderr", data),
                berth,
            )
        except sandbox.SandboxError as error:
            text = complaint(error, step.args[0])
            if text is None:
                raise EngineError(str(error)) from error
        streams.write("stderr", f"{text}\n".encode())
        return 1

    @staticmethod
    def _failure(step: Exec, code: int, streams: _Streams) -> ExecError:
        stdout, stderr = (streams.kept[stream].tail(OUTPUT_LIMIT) for stream in STREAMS)
        return ExecError(list(step.args), code, stdout, stderr)


def _recorded(store: Store, key: str, *, wary: bool) -> Result | None:
    """The result recorded under ``key``; if ``wary``, only when every byte of it is to be found."""
    value = store.index.fact("exec", key)
    if value is None:
        return None
    result = Result.from_json(value)
    try:
        _check(store, result, wary=wary)
    except Lost:
        store.index.forget("exec", key)
        return None
    return result


def _check(store: Store, result: Result, *, wary: bool) -> None:
    """Raises Lost where the listings of a result, or (``wary``) its bytes, are not to be found."""
    for snapshot in (result.rootfs, *result.mounts.values()):
        if snapshot.tree != EMPTY:
            store.trees.load(snapshot.tree)
            if snapshot.near is not None:
                store.chain(snapshot.near)
            if wary:
                store.require(snapshot.tree)
    if wary:
        for digest in (result.stdout, result.stderr, result.combined):
            capture.lacking(store, digest)
