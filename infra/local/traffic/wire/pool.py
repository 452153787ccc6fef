"""Connections to instances that wait for their next request."""

import asyncio
from collections import defaultdict

from infra.local.traffic.backend import Slot
from infra.local.traffic.wire.upstream import Upstream


class Pool:
    """Connections that wait, by instance; those of an instance that ends remove themselves.

    Servers close a connection that was idle for seconds. A request that can't be sent twice goes over one
    that waited for less than `fresh` seconds, which rarely meets that moment.
    """

    def __init__(self, *, fresh: float = 0.5, most: int = 256) -> None:
        self._fresh = fresh
        self._most = most
        self._waiting: defaultdict[str, list[Upstream]] = defaultdict(list)

    async def get(self, slot: Slot, *, patient: bool, new: bool) -> Upstream:
        """A connection to a slot's instance: one that waits, unless `new`.

        `patient` accepts one that may turn out to be closed by the instance; otherwise it was used lately.
        Raises OSError.
        """
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(slot.instance)
        if waiting and not new:
            last = waiting[-1]
            if patient or loop.time() - last.kept_since < self._fresh:
                waiting.pop()
                last.reused = True
                return last
        connected = await slot.dial()
        try:
            _, made = await loop.create_connection(Upstream, sock=connected)
        except BaseException:
            connected.close()
            raise
        return made

    def put(self, instance: str, upstream: Upstream) -> None:
        """Keep a connection whose exchange is over, if the instance lets us; close it otherwise."""
        waiting = self._waiting[instance]
        if upstream.reusable and len(waiting) < self._most:
            upstream.wait(waiting)
        else:
            upstream.close()

    def sweep(self) -> None:
        """Forget instances that no connection waits for."""
        for instance in [each for each, waiting in self._waiting.items() if not waiting]:
            del self._waiting[instance]

    def close(self) -> None:
        """End all that wait."""
        for waiting in self._waiting.values():
            for upstream in list(waiting):
                upstream.close()
        self._waiting.clear()
