"""All instances of one revision: as many as its requests need, a queue for those that have to wait."""

import asyncio
import math
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import anyio

from infra.local.runtime import words
from infra.local.runtime.contract import DeployFailed, RevisionSpec
from infra.local.runtime.instance import Instance
from infra.local.traffic.backend import NoInstance, Unavailable

_SHORT_LIFE = 10.0  # seconds: an instance that dies earlier counts as one more failure in a row


@dataclass(frozen=True, slots=True)
class Scaling:
    """Times in seconds.

    An instance that has had no request for `idle` goes. A request waits for an instance for `pending`, or 3.5
    times what starting one took so far if that is longer, as at Google:
    https://cloud.google.com/run/docs/about-instance-autoscaling. A crashed instance's successor waits
    `backoff`, twice as long each time, up to `backoff_most`; the first one does not wait. No more than
    `at_once` start at a time.
    """

    idle: float = 900.0
    pending: float = 10.0
    backoff: float = 0.5
    backoff_most: float = 30.0
    queue: int = 10_000
    at_once: int = 8


@dataclass(slots=True)
class Place:
    """One request's place at an instance."""

    revision: "Revision"
    holder: Instance
    taken: bool = True

    @property
    def instance(self) -> str:
        """The instance's id."""
        return self.holder.id

    @property
    def timeout(self) -> float:
        """Seconds that the request may take."""
        return self.revision.spec.timeout

    async def dial(self) -> socket.socket:
        """A new connection to the instance. Raises OSError."""
        return await self.holder.dial()

    def condemn(self) -> None:
        """Say that nobody listens at the instance."""
        self.holder.condemn()

    def leave(self) -> None:
        """Give the place back; a second time does nothing."""
        if self.taken:
            self.taken = False
            self.revision.left(self.holder)


class Revision:
    """The instances of a revision. `start` makes one, for a reason, and lets it live, calling back.

    Once it is `settled`, whether it can serve, `failure` says why not.
    """

    def __init__(self, spec: RevisionSpec, scaling: Scaling, start: Callable[[str], Instance]) -> None:
        self.spec = spec
        self.closing = False
        self.settled = anyio.Event()
        self.failure: DeployFailed | None = None
        self._scaling = scaling
        self._start = start
        self._instances: list[Instance] = []
        self._queue: deque[asyncio.Future[Place]] = deque()
        self._quiet = anyio.Event()
        self._proven = False  # whether the first instance has become ready
        self._failures = 0
        self._not_before = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._startup = 0.0

    @property
    def count(self) -> int:
        """Instances that serve."""
        return sum(instance.serving for instance in self._instances)

    @property
    def waiting(self) -> int:
        """Requests that wait for an instance."""
        return len(self._queue)

    async def first(self) -> None:
        """Start the first instance, and those to be kept warm after it. Raises DeployFailed."""
        instance = self._add(words.ROLLOUT)
        await instance.started.wait()
        if instance.failure is not None:
            raise instance.failure
        self._proven = True
        self._scale()

    def trust(self) -> None:
        """Start only the instances to be kept warm: the revision is known to work."""
        self._proven = True
        self._scale()

    def resize(self, least: int, most: int) -> None:
        """Have so many instances at least, and at most, from now on."""
        self.spec = replace(self.spec, min_instances=least, max_instances=most)
        self._scale()

    async def claim(self, wanted: str = "") -> Place:
        """A place for a request, at the instance `wanted` if it has room. Raises NoInstance, Unavailable."""
        if self.closing:
            raise Unavailable
        if not self._queue and (instance := self._roomy(wanted)) is not None:
            instance.in_flight += 1
            return Place(self, instance)
        if len(self._queue) >= self._scaling.queue:
            raise NoInstance
        waiter: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        self._scale()
        try:
            async with asyncio.timeout(max(self._scaling.pending, 3.5 * self._startup)):
                return await waiter
        except (TimeoutError, asyncio.CancelledError) as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                waiter.result().leave()  # it came in the same moment
            if isinstance(error, TimeoutError):
                raise NoInstance from None
            raise
        finally:
            with suppress(ValueError):
                self._queue.remove(waiter)
            self._settle()

    def left(self, instance: Instance) -> None:
        """A request is done with an instance."""
        instance.in_flight -= 1
        if not instance.in_flight:
            instance.idle_since = time.monotonic()
        self._hand_out()
        self._settle()

    def became_ready(self, instance: Instance) -> None:
        """An instance passed its startup probe, or its readiness probe again."""
        self._startup = (self._startup + instance.startup_seconds) / (2 if self._startup else 1)
        self._hand_out()
        self._scale()

    def ended(self, instance: Instance) -> None:
        """Nothing is left of an instance."""
        self._instances.remove(instance)
        self._settle()
        if instance.stopping or not self._proven:
            return
        now = time.monotonic()
        self._failures = 1 if now - instance.born > _SHORT_LIFE else self._failures + 1
        pause = self._scaling.backoff * 2 ** min(self._failures - 2, 20) if self._failures > 1 else 0.0
        self._not_before = now + min(pause, self._scaling.backoff_most)
        if instance.failure is not None and not self._instances:
            while self._queue:
                waiter = self._queue.popleft()
                if not waiter.done():
                    waiter.set_exception(Unavailable())
        self._scale()

    def reap(self, now: float) -> None:
        """Stop instances that have been idle for too long, but for those to be kept warm."""
        spare = self.count - self.spec.min_instances
        for instance in sorted(self._instances, key=lambda each: each.idle_since):
            if spare <= 0:
                return
            if (
                instance.serving
                and not instance.in_flight
                and now - instance.idle_since >= self._scaling.idle
            ):
                instance.stop()
                spare -= 1

    async def close(self) -> None:
        """Serve what has come so far, then stop all instances and wait for their end."""
        self.closing = True
        with anyio.move_on_after(self.spec.timeout):
            while self._queue or any(instance.in_flight for instance in self._instances):
                self._quiet = anyio.Event()
                await self._quiet.wait()
        await self.stop()

    async def stop(self) -> None:
        """Stop all instances and wait for their end."""
        self.closing = True
        if self._later is not None:
            self._later.cancel()
        instances = list(self._instances)
        for instance in instances:
            instance.stop()
        for instance in instances:
            await instance.ended.wait()

    def _roomy(self, wanted: str = "") -> Instance | None:
        """The instance with most room, or the wanted one."""
        best: Instance | None = None
        for instance in self._instances:
            if instance.ready and instance.in_flight < self.spec.concurrency:
                if instance.id == wanted:
                    return instance
                if best is None or instance.in_flight < best.in_flight:
                    best = instance
        return best

    def _hand_out(self) -> None:
        while self._queue and (instance := self._roomy()) is not None:
            waiter = self._queue.popleft()
            if not waiter.done():
                instance.in_flight += 1
                waiter.set_result(Place(self, instance))

    def _settle(self) -> None:
        if self.closing:
            self._quiet.set()

    def _scale(self) -> None:
        """Start as many instances as are missing; later, if the last ones crashed."""
        demand = len(self._queue) + sum(instance.in_flight for instance in self._instances)
        needed = math.ceil(demand / self.spec.concurrency)
        # Those that their readiness probe keeps out of it are instances, and help nobody.
        needed += (
            sum(instance.serving and not instance.ready for instance in self._instances) if needed else 0
        )
        wanted = max(needed, self.spec.min_instances)
        starting = sum(not instance.started.is_set() for instance in self._instances)
        alive = starting + self.count
        missing = min(wanted, self.spec.max_instances) - alive
        missing = min(missing, self._scaling.at_once - starting)
        if missing <= 0 or not self._proven or (self.closing and not self._queue):
            return
        pause = self._not_before - time.monotonic()
        if pause > 0:
            if self._later is not None:
                self._later.cancel()
            self._later = asyncio.get_running_loop().call_later(pause, self._scale)
            return
        for _ in range(missing):
            self._add(words.AUTOSCALING if needed >= wanted else words.MIN_INSTANCES)

    def _add(self, reason: str) -> Instance:
        instance = self._start(reason)
        self._instances.append(instance)
        return instance
