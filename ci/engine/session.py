"""A session: what one client's connection to the engine holds, and the server that the client talks to."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from ci.engine.api import RESOLVERS
from ci.engine.api.calls import Calls
from ci.engine.api.ids import Ids
from ci.engine.commands.caller import Caller
from ci.engine.connection import Connection
from ci.engine.errors import EngineError
from ci.engine.events import Events
from ci.engine.graph.secret import Secrets
from ci.engine.modules.universe import Universe
from ci.engine.opening import Opening, answer
from ci.engine.partial import in_parts

if TYPE_CHECKING:
    from ci.engine.api.clients import Clients
    from ci.engine.api.registry import Registry
    from ci.engine.api.respond import Api
    from ci.engine.api.source import SchemaSource
    from ci.engine.works import Works


@dataclass(eq=False)
class Session:
    """A client's session, as an async context manager: what it started has ended when the block is left.

    ``tasks`` is for work that outlives the request that began it. ``closing`` is left before ``tasks`` is
    cancelled: whatever must be stopped properly (services) is entered or called back there. ``guests`` are
    the functions of modules that run, by their tokens; ``universe`` has all modules that have been loaded.
    ``caller`` is the command that it was started by; ``opening`` opens ``works`` when they are needed.
    """

    state: Path
    workdir: Path
    events: Events
    caller: Caller = field(default_factory=Caller)
    ids: Ids = field(default_factory=Ids)
    universe: Universe = field(default_factory=Universe)
    guests: "dict[str, Api]" = field(default_factory=dict, repr=False)
    source: "SchemaSource" = field(init=False, repr=False)
    registry: "Registry" = field(init=False, repr=False)
    secrets: Secrets = field(init=False)
    calls: Calls = field(init=False, repr=False)
    opening: Opening | None = field(default=None, init=False, repr=False)
    tasks: TaskGroup = field(init=False, repr=False)
    closing: AsyncExitStack = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.secrets = Secrets(self.workdir)
        self.events.scrub = self.secrets.scrub
        self.calls = Calls(self.events)

    def heal(self, error: EngineError) -> bool:
        """Whether it is worth trying again what failed, because damaged parts of the cache were dropped."""
        opening = self.opening
        return opening is not None and opening.opened and opening.now().evaluator.heal(error)

    @property
    def works(self) -> "Works":
        """The parts that it works with, opened now if nobody has waited for them.

        Raises:
            EngineError: they cannot be opened.
        """
        if self.opening is None:
            raise EngineError("this session has nothing to work with")
        return self.opening.now()

    async def __aenter__(self) -> Self:
        """Open the session."""
        self.tasks = anyio.create_task_group()
        self.closing = AsyncExitStack()
        await self.tasks.__aenter__()
        await self.closing.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what the session started."""
        try:
            with anyio.CancelScope(shield=True):
                await self.closing.__aexit__(kind, error, trace)
        finally:
            self.tasks.cancel_scope.cancel()
            await self.tasks.__aexit__(kind, error, trace)


async def serve(session: Session, listener: socket.socket, connection: Connection) -> int | None:
    """Serve a session until stdin is closed or a signal asks to end; then stop everything it started.

    Returns the exit code of the command that it served, if that was told.
    """
    in_parts("uvicorn", Config="uvicorn.config")  # the rest of it is a program, with a command line
    from ci.engine.http import App
    from ci.engine.server import serving

    async with session:
        loading = _Loading(session, connection)
        session.tasks.start_soon(loading.load)
        async with serving(App(connection.token, loading.api, session.guests), listener):
            told = await _asked_to_end()
    return _exit_code(told)


async def _asked_to_end() -> bytes:
    """Wait until stdin is closed, as an SDK does when it is done, or SIGTERM or SIGINT arrives.

    Returns what was written to it last.
    """
    ended = anyio.Event()
    loop = asyncio.get_running_loop()
    told = b""

    def wait() -> None:
        nonlocal told
        with contextlib.suppress(OSError):
            while chunk := os.read(0, 65536):
                told = chunk
        with contextlib.suppress(RuntimeError):  # a signal was first, and the loop is gone
            loop.call_soon_threadsafe(ended.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    threading.Thread(target=wait, name="stdin", daemon=True).start()
    await ended.wait()
    return told


def _exit_code(told: bytes) -> int | None:
    """The exit code in what the command that started this engine wrote to it at its end."""
    try:
        return int(json.loads(told)["exit_code"])
    except (ValueError, TypeError, KeyError):
        return None


class _Loading:
    """Loads the API in the background: the port is open long before, and the first request waits here."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self._session = session
        self._connection = connection
        self._done = anyio.Event()
        self._result: Clients | EngineError | None = None
        session.opening = self._opening = Opening(self._open, RESOLVERS)

    async def load(self) -> None:
        """Load it; a failure is told to every request."""
        try:
            self._result = await anyio.to_thread.run_sync(self._load, abandon_on_cancel=True)
            self._session.closing.push_async_callback(self._opening.close)
            self._session.tasks.start_soon(self._opening.run)
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
            self._result = answer(error)
        self._done.set()

    def _load(self) -> "Clients":
        from ci.engine.api import places, registry, source
        from ci.engine.api.clients import Clients
        from ci.engine.api.respond import Api

        session = self._session
        session.source = source.installed(session.state)
        session.registry = registry.lazy(places.installed(session.state))
        return Clients(Api(session.source, session.registry, session))

    def _open(self) -> "Works":
        from ci.engine.graph.host.terminal import Lending
        from ci.engine.works import Works

        session, caller = self._session, self._session.caller
        nested = (
            ("DAGGER_SESSION_PORT", str(self._connection.port)),
            ("DAGGER_SESSION_TOKEN", self._connection.token),
        )
        return Works.open(
            session.state,
            session.events,
            session.tasks,
            session.secrets.plaintext,
            session_variables=nested,
            lending=Lending(session.events, caller.terminal, caller.silent, caller.interactive),
        )

    async def api(self, client: str) -> "Api":
        """Return a client's API, once it is there; raises what went wrong while loading it."""
        await self._done.wait()
        if isinstance(self._result, EngineError):
            raise self._result
        assert self._result is not None  # noqa: S101  # it is set before the event is
        return self._result.api(client)
