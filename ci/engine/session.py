"""A session: what one client's connection to the engine holds, and the server that the client talks to."""

import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from ci.engine.api.ids import Ids
from ci.engine.events import Events
from ci.engine.graph.secret import Secrets

if TYPE_CHECKING:
    from ci.engine.api.respond import Api


@dataclass(eq=False)
class Session:
    """A client's session, as an async context manager: what it started has ended when the block is left.

    ``tasks`` is for work that outlives the request that began it. ``closing`` is left before ``tasks`` is
    cancelled: whatever must be stopped properly (services) is entered or called back there.
    """

    state: Path
    workdir: Path
    events: Events
    ids: Ids = field(default_factory=Ids)
    secrets: Secrets = field(default_factory=Secrets)
    tasks: TaskGroup = field(init=False, repr=False)
    closing: AsyncExitStack = field(init=False, repr=False)

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


@dataclass(frozen=True, slots=True)
class Connection:
    """What a client needs to reach a session."""

    port: int
    token: str

    def line(self) -> str:
        """The line by which Dagger's CLI tells an SDK."""
        return json.dumps({"port": self.port, "session_token": self.token})

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read such a line; raises ValueError if it is not one."""
        document: dict[str, Any] = json.loads(line)
        return cls(int(document["port"]), str(document["session_token"]))


def listen() -> tuple[socket.socket, Connection]:
    """Open a port of this machine's own, at random; requests that come before the server is up wait there."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    return listener, Connection(listener.getsockname()[1], secrets.token_urlsafe(24))


async def serve(session: Session, listener: socket.socket, connection: Connection) -> None:
    """Serve a session until stdin is closed or a signal asks to end; then stop everything it started."""
    import uvicorn

    from ci.engine.http import App

    loading = _Loading(session)
    config = uvicorn.Config(
        App(connection.token, loading.api),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=24 * 3600,  # a pooled connection must not go away under a client that comes back
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    async with session:
        session.tasks.start_soon(loading.load)
        with _ending(stop):
            await server.serve(sockets=[listener])


class _Loading:
    """Loads the API in the background: the port is open long before, and the first request waits here."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done = anyio.Event()
        self._result: "Api | Exception | None" = None

    async def load(self) -> None:
        """Load it; a failure is told to every request."""
        try:
            self._result = await anyio.to_thread.run_sync(self._load)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._result = error
        self._done.set()

    def _load(self) -> "Api":
        from ci.engine.api import RESOLVERS, registry, source
        from ci.engine.api.respond import Api

        return Api(source.installed(self._session.state), registry.load(RESOLVERS), self._session)

    async def api(self) -> "Api":
        """Return the API, once it is there; raises what went wrong while loading it."""
        await self._done.wait()
        if isinstance(self._result, Exception):
            raise self._result
        assert self._result is not None
        return self._result


class _ending:
    """Calls ``stop`` when stdin is closed or SIGTERM or SIGINT arrives, while the block lasts.

    uvicorn handles those signals itself while it serves, and then raises them again for the handlers that
    were there before: these, which have nothing left to do.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._signalled)
        threading.Thread(target=self._wait, name="stdin", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._stop()

    def _wait(self) -> None:
        try:
            while os.read(0, 65536):
                pass
        except OSError:
            pass
        self._stop()
