"""Imports the cache when a session begins and exports it when it ends; neither ever fails a run."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio.to_thread

from ci.engine.cache.transfer.document import Unreadable
from ci.engine.cache.transfer.options import Elsewhere, Transfers
from ci.engine.errors import EngineError
from ci.engine.events import Events
from ci.engine.images import Image, parse_reference
from ci.engine.images.errors import ImageError, ImageNotFound
from ci.engine.platform import host_platform
from ci.engine.store.blobs import StoreError
from ci.engine.store.store import Store


class Carrying:
    """What carries one session's cache."""

    def __init__(self, store: Store, events: Events, transfers: Transfers) -> None:
        self._store = store
        self._events = events
        self._transfers = transfers

    async def receive(self) -> None:
        """Take over what is where the cache is to be imported from; what can't be used is one warning."""
        for source in self._transfers.sources:
            await self._shown(f"import cache from {source}", lambda source=source: self._receive(source))  # type: ignore[misc]

    async def send(self) -> None:
        """Leave what this session used where the cache is to be exported to."""
        for target in self._transfers.targets:
            await self._shown(f"export cache to {target}", lambda target=target: self._send(target))  # type: ignore[misc]

    async def _shown(self, name: str, work: Callable[[], Awaitable[str]]) -> None:
        began = time.monotonic()
        with self._events.step(name) as step:
            try:
                said = f"{await work()} in {time.monotonic() - began:.1f} s"
            except (Unreadable, ImageError, StoreError, EngineError, OSError) as error:
                said = f"warning: the cache is not used: {error}"
            step.write("stderr", f"{said}\n".encode())

    async def _receive(self, source: Elsewhere) -> str:
        from ci.engine.cache.transfer import layout, packing  # few sessions pay for it

        if source.folder is not None:
            image = await anyio.to_thread.run_sync(layout.read, source.folder, self._store.blobs)
        else:
            image = await self._pulled(source.reference)
        if image is None:
            return "there is none yet"
        count = await anyio.to_thread.run_sync(packing.unpacked, self._store, image)
        return f"{count} results of steps"

    async def _pulled(self, name: str) -> Image | None:
        from ci.engine.images.registry import Registry

        registry = Registry(self._store.blobs, connect=5.0, attempts=2)
        try:
            return await registry.pull(parse_reference(name), host_platform())
        except ImageNotFound:
            return None

    async def _send(self, target: Elsewhere) -> str:
        from ci.engine.cache.transfer import layout, packing

        image = await anyio.to_thread.run_sync(packing.packed, self._store, host_platform())
        if target.folder is not None:
            sent = await anyio.to_thread.run_sync(layout.write, target.folder, image, self._store.blobs)
            return f"{len(image.layers)} layers, {sent} bytes written"
        from ci.engine.images.registry import Registry

        await Registry(self._store.blobs).push(image, parse_reference(target.reference))
        return f"{len(image.layers)} layers"
