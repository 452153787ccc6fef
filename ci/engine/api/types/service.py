"""``Service``: a container that stays up, or a way to or from the host."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import works
from ci.engine.errors import EngineError
from ci.engine.graph.container import Port
from ci.engine.graph.serving.service import Running, Service, valid_hostname

#: Where tunnels are opened.
_HOST = "127.0.0.1"


async def _started(call: Call, service: Service) -> Running:
    parts = works(call)
    return await parts.services.start(parts.evaluator, parts.surroundings, service)


@serves("Service")
async def start(call: Call, parent: Service) -> Service:
    """Have it run until it is stopped."""
    await _started(call, parent)
    return parent


@serves("Service")
async def stop(call: Call, parent: Service, *, kill: bool = False) -> Service:
    """Stop it."""
    await works(call).services.stop(parent, kill=kill)
    return parent


@serves("Service")
def sync(_call: Call, parent: Service) -> Service:
    """The service itself: there is nothing to do before it starts."""
    return parent


@serves("Service")
async def hostname(call: Call, parent: Service) -> str:
    """The name that steps find it under; a tunnel's is the host's own address."""
    if parent.tunnelled is not None:
        await works(call).services.find(parent)
        return _HOST
    return parent.hostname


@serves("Service")
def with_hostname(_call: Call, parent: Service, *, hostname: str) -> Service:
    """Under another name."""
    if not valid_hostname(hostname):
        raise EngineError(f"hostname {hostname!r} is none: use letters, digits, '-' and '.'")
    return replace(parent, alias=hostname)


@serves("Service")
async def ports(call: Call, parent: Service) -> list[Port]:
    """The ports it is reached at."""
    if parent.step is not None:
        return list(parent.ports)
    return list((await works(call).services.find(parent)).opened)


@serves("Service")
async def endpoint(call: Call, parent: Service, *, port: int | None = None, scheme: str = "") -> str:
    """Where it is reached, as ``host:port`` or a URL."""
    if parent.tunnelled is not None:
        opened = (await works(call).services.find(parent)).opened
        number = port or (opened[0].port if opened else 0)
        host = _HOST
    else:
        number = port or (parent.ports[0].port if parent.ports else 0)
        host = parent.hostname
    if not number:
        raise EngineError("no ports exposed: name a port, or expose one with withExposedPort")
    return f"{scheme}://{host}:{number}" if scheme else f"{host}:{number}"


@serves("Service")
async def up(
    call: Call, parent: Service, *, ports: list[dict[str, Any]] | None = None, random: bool = False
) -> None:
    """Open it to the host until the session ends."""
    wanted = [(p.get("frontend") or 0, p["backend"], p.get("protocol") or "TCP") for p in ports or ()]
    if not wanted:
        wanted = [(0 if random else p.port, p.port, p.protocol) for p in parent.ports]
    if not wanted:
        raise EngineError("no ports to forward: the service exposes none, and none were given")
    running = await _started(call, Service(None, None, (), tunnelled=parent, forwards=tuple(wanted)))
    await running.ended.wait()
