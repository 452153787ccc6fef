"""A whole local cloud in one process: APIs, front proxy, registry, instances, over one folder."""

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from ci.engine.images import Images
from ci.engine.store.blobs import Blobs
from infra.local.api.server import Receive, Scope, Send
from infra.local.cloud import Cloud
from infra.local.control.logging import Logs
from infra.local.control.names import project_number
from infra.local.page import Page, Sight
from infra.local.page.app import PATHS
from infra.local.place import Endpoint, alone, announce, listen
from infra.local.registry import AnyRepository, Registry, Resolver
from infra.local.runtime.fleet import SandboxFleet, Shop
from infra.local.traffic import FrontProxy

LOOPBACK = "127.0.0.1"


class BadState(Exception):
    """The folder cannot be served from; the text says why."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is the port of last time, or one that is free."""

    api: int = 0
    front: int = 0
    registry: int = 0


class _Server(uvicorn.Server):
    """A server among others: signals are the process's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(
    state: Path,
    ports: Ports,
    ready: Callable[[Endpoint], None],
    *,
    host: str = LOOPBACK,
    strict: bool = False,
    quota_per_minute: int = 0,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the addresses once they answer.

    Raises Occupied, BadState.
    """
    with alone(state), contextlib.ExitStack() as stack:
        api, front, registry = (
            stack.enter_context(listen(state, what, host, getattr(ports, what)))
            for what in ("api", "front", "registry")
        )
        endpoint = Endpoint(os.getpid(), _url(api), _url(front), _address(registry))
        try:
            async with _working(
                state, api, front, registry, strict=strict, quota_per_minute=quota_per_minute
            ) as servers:
                told = _told_to_stop()
                announce(state, endpoint)
                ready(endpoint)
                await told.wait()
                for server in servers:
                    server.should_exit = True
        except sqlite3.DatabaseError as error:
            raise BadState(f"cannot use the state in {state}: {error}") from error


@contextlib.asynccontextmanager
async def _working(
    state: Path, api: socket.socket, front: socket.socket, registry: socket.socket, **options: Any
) -> AsyncIterator[list[_Server]]:
    blobs = Blobs(state / "blobs")
    images = Registry(state / "registry", blobs, AnyRepository())
    source = Resolver(images, registry.getsockname()[1], Images(state, blobs))
    logs = Logs(state)
    fleet = SandboxFleet(state, Shop(source, blobs), logs.write, number=project_number)
    proxy = FrontProxy(fleet, logs.write)
    proxy.port = front.getsockname()[1]
    cloud = Cloud(
        state,
        fleet,
        proxy,
        logs.write,
        registry=images,
        logs=logs,
        metrics=proxy.metrics,
        identity=fleet.identity,
        **options,
    )
    sight = Sight(cloud.shelves, fleet, proxy.metrics, cloud.monitoring.summaries)
    addresses = {"API": _url(api), "services": _url(front), "registry": _address(registry)}
    servers = [_server(_door(cloud, Page(sight, logs, addresses))), _server(images)]
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(images.close)
        await fleet.forget_all_but(cloud.shelves.images())
        await stack.enter_async_context(fleet.working())
        for listener in (api, registry):
            await fleet.publish(listener.getsockname()[1])
        await stack.enter_async_context(cloud.working())
        await stack.enter_async_context(proxy.listening(sock=front))
        await fleet.publish(proxy.port, proxy.internal_port)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for server, listener in zip(servers, (api, registry), strict=True):
            group.create_task(server.serve(sockets=[listener]))
        yield servers


def _door(cloud: Cloud, page: Page) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PATHS:
            await page(scope, send)
        else:
            await cloud(scope, receive, send)

    return app


def _server(app: Any) -> _Server:
    return _Server(
        uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, server_header=False, ws="none")
    )


def _told_to_stop() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    return told


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{'localhost' if host == LOOPBACK else host}:{port}"


def _url(listener: socket.socket) -> str:
    return f"http://{_address(listener)}"
