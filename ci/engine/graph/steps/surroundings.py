"""What is around every step of a session: host settings, secrets' sources, running services."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from ci.engine.events import Events
from ci.engine.graph.host.hostsettings import HostSettings
from ci.engine.graph.host.terminal import Lending
from ci.engine.graph.secret import Secret

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.serving.service import Running, Service
    from ci.engine.graph.serving.services import Services


@dataclass(frozen=True)
class Bound:
    """The services a step is bound to, running, each with its aliases."""

    services: tuple[tuple[Running, tuple[str, ...]], ...] = ()

    def hosts(self, *, inside: bool = False) -> tuple[tuple[str, str], ...]:
        """Address and name of each, on the host's network or (``inside``) on that between services."""
        return tuple(
            (running.inner if inside else running.address, name)
            for running, aliases in self.services
            for name in dict.fromkeys((*aliases, running.hostname))
        )

    async def watch(self, work: Callable[[], Awaitable[int]]) -> int:
        """Do ``work`` while the services run; EngineError when one of them dies first."""
        if not self.services:
            return await work()
        code: int | None = None

        async def worker() -> None:
            nonlocal code
            code = await work()
            group.cancel_scope.cancel()

        failed: list[Exception] = []

        async def watcher(running: Running, aliases: tuple[str, ...]) -> None:
            await running.ended.wait()
            failed.append(running.exited(aliases))
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(worker)
            for running, aliases in self.services:
                group.start_soon(watcher, running, aliases)
        if code is None:
            raise failed[0]
        return code


class Surroundings:
    """One session's."""

    def __init__(
        self,
        settings: HostSettings,
        services: Services,
        reveal: Callable[[Secret], Awaitable[bytes]],
        session_variables: tuple[tuple[str, str], ...] = (),
        lending: Lending | None = None,
    ) -> None:
        self.settings = settings
        self.services = services
        self.reveal = reveal
        self.session_variables = session_variables
        self.lending = lending or Lending(Events())

    def loopback_ports(self, *, nesting: bool) -> frozenset[int]:
        """The ports of this host's loopback that a step is told of: proxies, indexes, the session itself."""
        told = self.session_variables if nesting else ()
        ports = {int(value) for name, value in told if name == "DAGGER_SESSION_PORT"}
        return self.settings.loopback_ports | ports

    @contextlib.asynccontextmanager
    async def bound(
        self, evaluator: Evaluator, wanted: tuple[tuple[str, Service], ...]
    ) -> AsyncIterator[Bound]:
        """Run the services that a step is bound to, by alias, for as long as it needs them."""
        if not wanted:
            yield Bound()
            return
        async with self.services.using(evaluator, self, wanted) as running:
            aliases: dict[Running, tuple[str, ...]] = {}
            for (alias, _), service in zip(wanted, running, strict=True):
                aliases[service] = (*aliases.get(service, ()), alias)
            yield Bound(tuple(aliases.items()))
