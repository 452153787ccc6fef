"""The working parts of a session: the store, the evaluator and services."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from anyio.abc import TaskGroup

from ci.engine import sandbox
from ci.engine.cache import policy
from ci.engine.cache.housekeeping import Housekeeping
from ci.engine.cache.transfer.carrying import Carrying
from ci.engine.cache.transfer.options import transfers
from ci.engine.events import Events
from ci.engine.graph.evaluator import Evaluator
from ci.engine.graph.host import hostsettings
from ci.engine.graph.host.terminal import Lending
from ci.engine.graph.secret import Secret
from ci.engine.graph.serving.services import Services
from ci.engine.graph.steps.step import Steps
from ci.engine.graph.steps.surroundings import Surroundings
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store


@dataclass(frozen=True)
class Works:
    """What resolvers work with."""

    store: Store
    evaluator: Evaluator
    surroundings: Surroundings
    services: Services
    housekeeping: Housekeeping
    carrying: Carrying

    @classmethod
    def open(
        cls,
        state: Path,
        events: Events,
        tasks: TaskGroup,
        reveal: Callable[[Secret], Awaitable[bytes]],
        *,
        session_variables: tuple[tuple[str, str], ...] = (),
        lending: Lending | None = None,
    ) -> Works:
        """Open the state folder's parts for one session. Blocking.

        Raises:
            EngineError: the state folder can't be used.
        """
        host = sandbox.enter()
        os.umask(0o022)  # what steps write must not depend on the caller's
        if host.rootless and host.uid_range:  # owners are kept otherwise than where there is one uid
            state = state / "owners"
            state.mkdir(exist_ok=True)
        housekeeping = Housekeeping(state, policy.default(state))
        elsewhere = transfers()
        store = Store(state, Ownership(on_disk=host.uid_range))
        services = Services(tasks)
        surroundings = Surroundings(hostsettings.read(), services, reveal, session_variables, lending)
        evaluator = Evaluator(store, events, tasks, Steps(surroundings))
        return cls(store, evaluator, surroundings, services, housekeeping, Carrying(store, events, elsewhere))

    async def close(self) -> None:
        """Stop the services and give the store back."""
        self.housekeeping.stop()
        await self.services.stop_all()
        await self.carrying.send()
        await self.evaluator.in_thread(self.store.close)
