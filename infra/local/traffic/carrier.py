"""Brings requests to instances: claims a place, sends, and sends again what may have got lost."""

import asyncio

from infra.local.traffic import answers
from infra.local.traffic.backend import Backend, NoInstance, Slot, Unavailable
from infra.local.traffic.metrics import Metrics
from infra.local.traffic.passage import Passage
from infra.local.traffic.wire.exchange import Ending
from infra.local.traffic.wire.heads import forwarded
from infra.local.traffic.wire.pool import Pool
from infra.local.traffic.wire.request import IDEMPOTENT

_CLAIMS = 3


class _Unreachable(Exception):
    """Nobody listens at an instance."""


class Carrier:
    """Carries requests to a backend's instances."""

    def __init__(self, backend: Backend, metrics: Metrics) -> None:
        self.pool = Pool()
        self._backend = backend
        self._metrics = metrics

    async def carry(self, passage: Passage) -> None:
        """Have a request answered, by an instance or in its place."""
        # A request that could not be sent, as its instance has just died, is no worse than a new one.
        for _ in range(_CLAIMS):
            if await self._try(passage):
                return
        passage.fail(503, answers.BROKEN)

    async def _try(self, passage: Passage) -> bool:
        """Claim an instance and pass the request to it; False when the instance could not be reached."""
        key = passage.choice.revision_key
        try:
            slot = await self._backend.claim(key, passage.choice.instance)
        except NoInstance:
            passage.fail(429, answers.NO_INSTANCE)
            return True
        except Unavailable as error:
            passage.fail(503, str(error) or answers.NOT_STARTED)
            return True
        passage.instance, passage.reached = slot.instance, True
        self._metrics.entered(key, slot.instance)
        try:
            async with asyncio.timeout(slot.timeout):
                await self._send(passage, slot)
        except TimeoutError:
            passage.fail(504, answers.TIMED_OUT)
        except _Unreachable:
            slot.condemn()
            return False
        finally:
            slot.leave()
            self._metrics.left(key, slot.instance)
        return True

    async def _send(self, passage: Passage, slot: Slot) -> None:
        """Bring the request to the instance and the response back; once more when a connection was stale.

        Raises _Unreachable when nothing of it was sent.
        """
        request = passage.request
        head = forwarded(request, passage.client.peer, passage.trace, verified=passage.verified)
        # A body that is still arriving can't be sent twice.
        again = request.method in IDEMPOTENT and request.complete and not request.websocket
        new = not request.complete or request.websocket
        while True:
            stale = await self._exchange(passage, slot, head, patient=again, new=new)
            if not stale:
                return
            if not again:
                passage.fail(503, answers.BROKEN)
                return
            new = True

    async def _exchange(self, passage: Passage, slot: Slot, head: bytes, *, patient: bool, new: bool) -> bool:
        """Send a request once; whether its connection had waited and turned out to be closed."""
        request = passage.request
        exchange = passage.begin()
        try:
            upstream = await self.pool.get(slot, patient=patient, new=new)
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
                self.pool.put(slot.instance, upstream)
            else:
                upstream.close()
        if ending is Ending.STALE and upstream.reused:
            return True
        if ending is Ending.REFUSED and request.refusal is not None:
            refusal = request.refusal
            passage.fail(refusal.status, answers.REFUSED.format(why=refusal.why), why=refusal.why)
        elif ending is not Ending.DONE:
            passage.fail(503, answers.BROKEN)
        return False
