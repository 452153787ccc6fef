"""Runs a module's code once: the SDK's entry point in the module's container, with a session of its own."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ci.engine import sandbox
from ci.engine.connection import PORT, TOKEN
from ci.engine.errors import OUTPUT_LIMIT, EngineError, ExecError
from ci.engine.events import STREAMS, Step, Stream
from ci.engine.graph.secret import Secrets
from ci.engine.graph.steps.execution import Exec
from ci.engine.graph.steps.rooms import prepared
from ci.engine.graph.steps.scrub import Scrubber

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci.engine.api.registry import Call
    from ci.engine.api.respond import Api
    from ci.engine.api.types.error import Error
    from ci.engine.graph.container import Container
    from ci.engine.modules.client import Client

#: The SDK's entry point: it asks what to do by ``currentFunctionCall``.
ENTRY = ("python", "-c", "import sys; from dagger.mod.cli import app; sys.exit(app())")


@dataclass(eq=False)
class FunctionCall:
    """What a module's code is asked to do, and what came of it; names are those of the module's author.

    Without a ``parent_name`` it is asked which types it has.
    """

    name: str = ""
    parent_name: str = ""
    parent: str = "null"
    arguments: tuple[tuple[str, str], ...] = ()
    digest: str = field(default_factory=lambda: os.urandom(16).hex())
    result: str | None = None
    error: Error | None = None


class FunctionFailed(EngineError):
    """A module's function failed; the message and ``values`` are what its SDK said of that."""

    def __init__(self, message: str, values: Mapping[str, Any]) -> None:
        super().__init__(message)
        self._values = values

    @property
    def extensions(self) -> Mapping[str, Any]:
        """What the SDK said beside the message."""
        return self._values


async def run(call: Call, container: Container, title: str, client: Client, api: Api) -> str:
    """Have a function call done by a module's container; returns its result in JSON.

    Raises:
        FunctionFailed: the module's code said that it failed.
        ExecError: it ended without saying anything.
    """
    session, works = call.session, call.session.works
    function = client.function
    assert function is not None  # noqa: S101  # the client is made for it
    token = os.urandom(24).hex()
    variables = ((PORT, dict(works.surroundings.session_variables)[PORT]), (TOKEN, token))
    step = Exec(
        rootfs=container.rootfs,
        args=ENTRY,
        env=tuple(sorted(container.env.items())),
        volatile_env=variables,
        mounts=container.mounts,
        cwd=container.config.workdir or "/",
    )
    session.guests[token] = api.serving(client)
    try:
        with works.evaluator.events.step(title) as shown:
            return _outcome(function, step, *await _execute(call, step, shown))
    finally:
        del session.guests[token]


async def _execute(call: Call, step: Exec, shown: Step) -> tuple[int, dict[Stream, bytes]]:
    """Run the process; returns its exit code, and the last that it wrote."""
    works = call.session.works
    evaluator, surroundings = works.evaluator, works.surroundings
    given = await evaluator.given(step)
    async with contextlib.AsyncExitStack() as stack:
        harbour = surroundings.services.harbour
        berth = await stack.enter_async_context(harbour.step(privileged=False))
        room = await stack.enter_async_context(
            prepared(evaluator, surroundings, step, given, hosts=(), berth=berth)
        )
        ports = surroundings.loopback_ports(nesting=True)
        await stack.enter_async_context(harbour.reaching(berth, ports))
        output = _Output(shown, room.secrets, call.session.secrets)
        try:
            code = await sandbox.run(
                room.spec,
                lambda data: output.take("stdout", data),
                lambda data: output.take("stderr", data),
                berth,
            )
        except sandbox.SandboxError as error:
            raise EngineError(f"the module's code can't be started: {error}") from error
        output.finish()
    return code, output.kept


class _Output:
    """What the code writes, shown without secrets, even those it asks for meanwhile; the last is kept."""

    def __init__(self, shown: Step, always: tuple[bytes, ...], secrets: Secrets) -> None:
        self.kept: dict[Stream, bytes] = dict.fromkeys(STREAMS, b"")
        self._shown = shown
        self._always = always
        self._secrets = secrets
        self._hidden = frozenset((*always, *secrets.told()))
        self._scrubbers = self._made()

    def take(self, stream: Stream, data: bytes) -> None:
        """Take what the code wrote."""
        hidden = frozenset((*self._always, *self._secrets.told()))
        if hidden != self._hidden:
            self.finish()
            self._hidden = hidden
            self._scrubbers = self._made()
        self._show(stream, self._scrubbers[stream].feed(data))

    def finish(self) -> None:
        """Show what was held back."""
        for stream in STREAMS:
            self._show(stream, self._scrubbers[stream].flush())

    def _made(self) -> dict[Stream, Scrubber]:
        return {stream: Scrubber(tuple(self._hidden)) for stream in STREAMS}

    def _show(self, stream: Stream, data: bytes) -> None:
        if data:
            self.kept[stream] = (self.kept[stream] + data)[-OUTPUT_LIMIT:]
            self._shown.write(stream, data)


def _outcome(function: FunctionCall, step: Exec, code: int, output: dict[Stream, bytes]) -> str:
    if function.error is not None:
        values = {each.name: each.value for each in function.error.values}
        raise FunctionFailed(function.error.message, _decoded(values))
    if code != 0:
        stdout, stderr = (output[stream].decode(errors="replace") for stream in STREAMS)
        raise ExecError(list(step.args), code, stdout, stderr)
    if function.result is None:
        what = f'function "{function.name}"' if function.name else "constructor"
        raise EngineError(f"{what} completed without returning a value")
    return function.result


def _decoded(values: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in values.items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found
