"""The front proxy: listens, routes, asks who may come in, and keeps count and log of what comes of it."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from infra.local.runtime.contract import Allowed, Log, Target
from infra.local.traffic import answers
from infra.local.traffic.access import Access, Unverified
from infra.local.traffic.backend import Backend
from infra.local.traffic.carrier import Carrier
from infra.local.traffic.metrics import Metrics
from infra.local.traffic.passage import Passage
from infra.local.traffic.routes import Routes
from infra.local.traffic.trace import trace_of
from infra.local.traffic.wire.downstream import Downstream
from infra.local.traffic.wire.limits import Limits
from infra.local.traffic.wire.request import Request

_BACKLOG = 4096
_TURNS = 3  # of the loop, from when it accepts a connection until that is made


class FrontProxy:
    """The front proxy of a backend's instances; `log` gets an entry for each request to a host that it knows.

    It listens while `listening` is open: at `port` for everybody, at `internal_port` for requests from within
    the cloud. `metrics` has the figures of what it does.
    """

    def __init__(self, backend: Backend, log: Log, *, limits: Limits | None = None) -> None:
        self.metrics = Metrics(backend.populations)
        self.port = 0
        self.internal_port = 0
        self._log = log
        self._limits = limits or Limits()
        self._routes = Routes()
        self._carrier = Carrier(backend, self.metrics)
        self._connections: dict[Downstream, None] = {}

    def route(
        self,
        host: str,
        targets: tuple[Target, ...],
        session_affinity: bool = False,
        *,
        internal: bool = False,
        allowed: Allowed | None = None,
    ) -> None:
        """Split the requests to a host from now on; those in flight go on where they are.

        With `internal`, only requests that come in at `internal_port` are served: others get Google's 404.
        `allowed` is asked about each request: 403 when it says no, 401 when it raises Unverified.
        """
        self._routes.put(host, targets, sticky=session_affinity, access=Access(internal, allowed))

    def unroute(self, host: str) -> None:
        """Know a host no more."""
        self._routes.remove(host)

    @asynccontextmanager
    async def listening(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        sock: socket.socket | None = None,
        internal_port: int = 0,
    ) -> AsyncIterator[None]:
        """Serve while the block is open, on `sock` if that is given; ports that are 0 the system chooses.

        At the end, requests in flight have the limits' `drain_time` left. Raises OSError when an address is
        taken.
        """
        limits = replace(self._limits, connections=min(self._limits.connections, _allow_many_files()))
        async with AsyncExitStack() as open_now:
            outside = sock or open_now.enter_context(socket.create_server((host, port)))
            inside = open_now.enter_context(socket.create_server((host, internal_port)))
            self.port = await self._listen(open_now, outside, limits, internal=False)
            self.internal_port = await self._listen(open_now, inside, limits, internal=True)
            sweeping = asyncio.get_running_loop().create_task(self._sweep())
            try:
                yield
            finally:
                sweeping.cancel()
                # A server that closes at once loses what it has just accepted.
                for listener in (outside, inside):
                    asyncio.get_running_loop().remove_reader(listener)
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                await open_now.aclose()
                await self._drain()

    async def _listen(
        self, open_now: AsyncExitStack, sock: socket.socket, limits: Limits, *, internal: bool
    ) -> int:
        server = await asyncio.get_running_loop().create_server(
            lambda: Downstream(self._serve, limits, self._connections, internal=internal),
            sock=sock,
            backlog=_BACKLOG,
        )
        open_now.callback(server.close)
        bound: int = sock.getsockname()[1]
        return bound

    async def _drain(self) -> None:
        serving = [each.serving for each in self._connections if each.serving is not None]
        if serving:
            await asyncio.wait(serving, timeout=self._limits.drain_time)
        for connection in list(self._connections):
            connection.abort()
        self._carrier.pool.close()
        await asyncio.sleep(0)

    async def _sweep(self) -> None:
        # One look at all connections a second costs less than a timer for each request.
        loop = asyncio.get_running_loop()
        pause = min(1.0, self._limits.head_time / 4, self._limits.stall_time / 4)
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in list(self._connections):
                connection.expire(now)
            self._carrier.pool.sweep()
            self.metrics.sample()

    async def _serve(self, request: Request, client: Downstream) -> None:
        if request.refusal is not None:
            client.write(answers.refuse(request.refusal, request))
            client.flush()
            return
        choice = self._routes.choose(request.host, request.get(b"cookie"))
        if choice is None:
            request.keep_alive = request.keep_alive and request.complete
            client.write(answers.answer(404, request))
            client.flush()
            return
        trace = trace_of(request.get(b"traceparent"), request.get(b"x-cloud-trace-context"))
        passage = Passage(request, client, choice, trace)
        try:
            if _admitted(passage):
                await self._carrier.carry(passage)
        except asyncio.CancelledError:
            passage.status = passage.status or 499
            raise
        finally:
            client.lead(None)
            self._record(passage)

    def _record(self, passage: Passage) -> None:
        seconds = time.perf_counter() - passage.started
        if passage.reached:
            # As at Google, requests that reach no instance are in the log alone.
            self.metrics.observe(passage.choice.revision_key, passage.status, seconds)
        self._log(passage.entry(seconds))


def _admitted(passage: Passage) -> bool:
    """Whether a request may go on to its revision; it is answered if not."""
    request, access, host = passage.request, passage.choice.access, passage.choice.host
    if access.internal and not passage.client.internal:
        passage.fail(404, answers.NOT_INTERNAL)
        return False
    if access.allowed is None:
        return True
    field = request.get(b"x-serverless-authorization") or request.get(b"authorization")
    authorization = field.decode("latin-1")
    try:
        allowed = access.allowed(host, authorization)
    except Unverified:
        passage.fail(401, answers.UNVERIFIED)
        return False
    if not allowed:
        passage.fail(403, answers.FORBIDDEN)
    # What comes with a request that anybody may make is for the instance to verify.
    passage.verified = bool(authorization) and allowed and not access.allowed(host, "")
    return allowed


def _allow_many_files() -> int:
    """Raise the limit of open files as far as it goes; how many of them clients may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft * 3 // 4
