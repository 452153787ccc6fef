"""Runs a module's code once: the SDK's entry point in the module's container, with a session of its own."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ci.engine import sandbox
from ci.engine.connection import PORT, TOKEN
from ci.engine.errors import OUTPUT_LIMIT, EngineError, ExecError
from ci.engine.events import STREAMS, StepEnded, StepOutput, StepStarted, Stream
from ci.engine.graph.execution import Exec
from ci.engine.graph.rooms import prepared
from ci.engine.graph.scrub import Scrubber

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
    identity, began = f"call:{function.digest}", time.monotonic()
    works.evaluator.events.emit(StepStarted(identity, title))
    failure: str | None = "cancelled"
    try:
        code, output = await _execute(call, step, identity)
        result = _outcome(function, step, code, output)
        failure = None
    except EngineError as error:
        failure = error.message
        raise
    finally:
        del session.guests[token]
        seconds = time.monotonic() - began
        works.evaluator.events.emit(StepEnded(identity, seconds, cached=False, error=failure))
    return result


async def _execute(call: Call, step: Exec, identity: str) -> tuple[int, dict[Stream, bytes]]:
    works = call.session.works
    evaluator = works.evaluator
    given = await evaluator.given(step)
    async with prepared(evaluator, works.surroundings, step, given, hosts=()) as room:
        hidden = (*room.secrets, *call.session.secrets.told())
        scrubbers: dict[Stream, Scrubber] = {stream: Scrubber(hidden) for stream in STREAMS}
        kept: dict[Stream, bytes] = dict.fromkeys(STREAMS, b"")

        def show(stream: Stream, data: bytes) -> None:
            if data:
                kept[stream] = (kept[stream] + data)[-OUTPUT_LIMIT:]
                evaluator.events.emit(StepOutput(identity, stream, data))

        try:
            code = await sandbox.run(
                replace(room.spec),
                lambda data: show("stdout", scrubbers["stdout"].feed(data)),
                lambda data: show("stderr", scrubbers["stderr"].feed(data)),
            )
        except sandbox.SandboxError as error:
            raise EngineError(f"the module's code can't be started: {error}") from error
        for stream in STREAMS:
            show(stream, scrubbers[stream].flush())
    return code, kept


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
    import json

    found: dict[str, Any] = {}
    for name, text in values.items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found
