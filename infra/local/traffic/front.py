"""The front proxy: listens, routes, claims an instance for each request and keeps count."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from infra.local.runtime.contract import Log, LogEntry, Target
from infra.local.traffic import answers
from infra.local.traffic.answers import answer
from infra.local.traffic.backend import Backend, NoInstance, Slot, Unavailable
from infra.local.traffic.downstream import Downstream
from infra.local.traffic.exchange import Ending, Exchange
from infra.local.traffic.limits import Limits
from infra.local.traffic.metrics import Metrics
from infra.local.traffic.metrics.exposition import CONTENT_TYPE
from infra.local.traffic.request import IDEMPOTENT, Fields, Request, forwarded
from infra.local.traffic.routes import Choice, Routes, cookie_for
from infra.local.traffic.trace import Trace, trace_of
from infra.local.traffic.upstream import Upstreams

#: Pages of the proxy's own, at the bare address: a path to a function that makes media type and body.
Pages = Mapping[str, Callable[[], tuple[str, bytes]]]

_OWN_NAMES = frozenset(("localhost", "127.0.0.1"))
_BACKLOG = 4096
_CLAIMS = 3


class _Unreachable(Exception):
    """Nobody listens at an instance."""


class FrontProxy:
    """The front proxy of a backend's instances; `log` gets an entry for each request.

    It listens while `listening` is open. Prometheus reads its figures at http://localhost:PORT/metrics.
    """

    def __init__(
        self, backend: Backend, log: Log, *, limits: Limits | None = None, pages: Pages | None = None
    ) -> None:
        self.metrics = Metrics(backend.populations)
        self.port = 0
        self._backend = backend
        self._log = log
        self._limits = limits or Limits()
        self._routes = Routes()
        self._upstreams = Upstreams()
        self._connections: set[Downstream] = set()
        self._pages: Pages = {"/metrics": self._exposition, **(pages or {})}

    def route(self, host: str, targets: tuple[Target, ...], session_affinity: bool = False) -> None:
        """Split the requests to a host from now on; those in flight go on where they are."""
        self._routes.put(host, targets, sticky=session_affinity)

    def unroute(self, host: str) -> None:
        """Know a host no more."""
        self._routes.remove(host)

    @asynccontextmanager
    async def listening(
        self, host: str = "127.0.0.1", port: int = 0, *, listener: socket.socket | None = None
    ) -> AsyncIterator[None]:
        """Serve while the block is open, on a port of the system's choice when `port` is 0.

        A `listener` that is bound already takes the place of both. Raises OSError when the address is taken.
        """
        _allow_many_files()
        loop = asyncio.get_running_loop()

        def connection() -> Downstream:
            return Downstream(self._serve, self._limits, self._connections)

        if listener is not None:
            self.port = listener.getsockname()[1]
            server = await loop.create_server(connection, sock=listener, backlog=_BACKLOG)
        else:
            server = await loop.create_server(connection, host, port, backlog=_BACKLOG)
        self.port = server.sockets[0].getsockname()[1]
        sweeping = loop.create_task(self._sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            server.close()
            for connection in list(self._connections):
                connection.transport.abort()
            self._upstreams.close()

    async def _sweep(self) -> None:
        # One look at all connections a second costs less than a timer for each request.
        loop = asyncio.get_running_loop()
        pause = min(1.0, self._limits.head_time / 4, self._limits.stall_time / 4)
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in list(self._connections):
                connection.expire(now)

    async def _serve(self, request: Request, client: Downstream) -> None:
        if request.refusal is not None:
            client.write(answer(request.refusal.status, keep_alive=False, why=request.refusal.why))
            client.flush()
            return
        choice = self._routes.choose(request.host, request.get(b"cookie"))
        if choice is None:
            self._own(request, client)
            return
        trace = trace_of(request.get(b"traceparent"), request.get(b"x-cloud-trace-context"))
        passage = _Passage(request, client, choice, trace, time.time(), time.perf_counter())
        try:
            await self._pass(passage)
        except asyncio.CancelledError:
            passage.status = passage.status or 499
            raise
        finally:
            self._record(passage)

    async def _pass(self, passage: "_Passage") -> None:
        # A request that could not be sent, as its instance has just died, is no worse than a new one.
        for _ in range(_CLAIMS):
            if await self._try(passage):
                return
        passage.fail(503, answers.BROKEN)

    async def _try(self, passage: "_Passage") -> bool:
        """Claim an instance and pass the request to it; False when the instance could not be reached."""
        choice = passage.choice
        try:
            slot = await self._backend.claim(choice.revision_key, choice.instance)
        except NoInstance:
            passage.fail(429, answers.NO_INSTANCE)
            return True
        except Unavailable as error:
            passage.fail(503, str(error) or answers.NOT_STARTED)
            return True
        passage.instance = slot.instance
        try:
            async with asyncio.timeout(slot.timeout):
                await self._carry(passage, slot)
        except TimeoutError:
            passage.fail(504, answers.TIMED_OUT)
        except _Unreachable:
            slot.condemn()
            return False
        finally:
            slot.leave()
        return True

    async def _carry(self, passage: "_Passage", slot: Slot) -> None:
        """Bring the request to the instance and the response back; once more when a connection was stale.

        Raises _Unreachable when nothing of it was sent.
        """
        request = passage.request
        ours: Fields = [
            (b"x-forwarded-proto", b"http"),
            (b"traceparent", passage.trace.traceparent),
            (b"x-cloud-trace-context", passage.trace.cloud),
        ]
        head = forwarded(request, passage.client.peer, ours)
        # A body that is still arriving can't be sent twice.
        again = request.method in IDEMPOTENT and request.complete and not request.websocket
        new = not request.complete or request.websocket
        while True:
            exchange = passage.begin()
            try:
                upstream = await self._upstreams.get(slot, patient=again, new=new)
            except TimeoutError:
                raise
            except OSError as error:
                raise _Unreachable from error
            ending = Ending.CUT
            try:
                ending = await exchange.run(upstream, head)
            finally:
                passage.status = exchange.status
                if ending is Ending.DONE and request.complete and not request.websocket:
                    self._upstreams.put(slot.instance, upstream)
                else:
                    upstream.close()
            if ending is Ending.DONE:
                return
            if ending is Ending.CUT or not (again and upstream.reused):
                passage.fail(503, answers.BROKEN)
                return
            new = True

    def _own(self, request: Request, client: Downstream) -> None:
        page = self._pages.get(request.target.decode(errors="replace").partition("?")[0])
        keep = request.keep_alive and request.complete
        if request.host in _OWN_NAMES and page is not None and request.method == b"GET":
            client.write(answer(200, keep_alive=keep, content=page()))
        else:
            why = "the requested URL was not found on this server"
            content = ("text/plain", b"") if request.method == b"HEAD" else None
            client.write(answer(404, keep_alive=keep, why=why, content=content))
        client.flush()
        request.keep_alive = keep

    def _record(self, passage: "_Passage") -> None:
        seconds = time.perf_counter() - passage.started
        self.metrics.observe(passage.choice.revision_key, passage.status, seconds)
        self._log(passage.entry(seconds))

    def _exposition(self) -> tuple[str, bytes]:
        return CONTENT_TYPE, self.metrics.exposition()


@dataclass(slots=True)
class _Passage:  # pylint: disable=too-many-instance-attributes  # all that a log entry says
    """One request, from its head to the end of its response."""

    request: Request
    client: Downstream
    choice: Choice
    trace: Trace
    time: float
    started: float
    status: int = 0
    instance: str = ""
    problem: str = ""
    exchange: Exchange | None = None

    def begin(self) -> Exchange:
        """Lead the client's connection to a new exchange."""
        added: Fields = [(b"x-cloud-trace-context", self.trace.cloud)]
        if self.choice.sticky and self.instance != self.choice.instance:
            added.append((b"set-cookie", cookie_for(self.choice.revision_key, self.instance)))
        self.exchange = Exchange(self.request, self.client, added)
        self.client.way = self.exchange
        return self.exchange

    def fail(self, status: int, problem: str) -> None:
        """Answer in the instance's place; a response that has begun can only be broken off."""
        self.problem = problem
        if self.exchange is not None and self.exchange.began:
            self.request.keep_alive = False
            self.client.transport.abort()
            return
        self.status = status
        keep = self.request.keep_alive = self.request.keep_alive and self.request.complete
        head_only = ("text/plain", b"") if self.request.method == b"HEAD" else None
        self.client.write(answer(status, keep_alive=keep, content=head_only))
        self.client.flush()

    def entry(self, seconds: float) -> LogEntry:
        """The request log's entry, with the members of google.logging.type.HttpRequest."""
        project = self.choice.revision_key.split("/", 2)[1]
        request = self.request
        self.client.way = None
        severity = "ERROR" if self.status >= 500 else "WARNING" if self.status >= 400 else "INFO"
        payload: dict[str, object] = {
            "requestMethod": request.method.decode(errors="replace"),
            "requestUrl": f"http://{request.host}{request.target.decode(errors='replace')}",
            "requestSize": str(request.received),
            "status": self.status,
            "responseSize": str(self.exchange.sent if self.exchange is not None else 0),
            "userAgent": request.get(b"user-agent").decode(errors="replace"),
            "remoteIp": self.client.peer,
            "latency": f"{seconds:.6f}s",
            "protocol": f"HTTP/{request.version}",
        }
        return LogEntry(
            self.choice.revision_key,
            "requests",
            self.problem,
            self.time,
            severity,
            {"httpRequest": payload, "spanId": f"{self.trace.span:016x}", "instanceId": self.instance},
            f"projects/{project}/traces/{self.trace.id}",
        )


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
