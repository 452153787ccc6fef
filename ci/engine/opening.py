"""Opens what a session works with when it is first needed: the first answers need none of it."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from ci.engine.errors import EngineError

if TYPE_CHECKING:
    from ci.engine.works import Works

#: Seconds that a client may take for its first call before the time is used to open everything ahead of it.
PATIENCE = 0.5


def answer(error: Exception) -> EngineError:
    """What clients are told when the engine, or a part of it, cannot be had: it does not end the session."""
    if isinstance(error, EngineError):
        return error
    traceback.print_exception(error)
    return EngineError(f"the engine cannot serve its API: {error}")


class Opening:
    """The working parts of one session: opened once, by ``open_`` (blocking), whoever is first to need them.

    ``modules`` will be wanted later: they are imported as long as nobody has asked for anything.
    """

    def __init__(self, open_: Callable[[], Works], modules: tuple[str, ...] = ()) -> None:
        self._open = open_
        self._modules = modules
        self._lock = threading.Lock()
        self._result: Works | EngineError | None = None
        self._wanted = anyio.Event()
        self._ready = anyio.Event()

    @property
    def opened(self) -> bool:
        """Whether all is there."""
        return self._ready.is_set()

    def now(self) -> Works:
        """The working parts, opened here if they are not yet. Blocking.

        Raises:
            EngineError: they cannot be opened.
        """
        with self._lock:
            if self._result is None:
                try:
                    self._result = self._open()
                except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
                    self._result = answer(error)
        if isinstance(self._result, EngineError):
            raise self._result
        return self._result

    async def ready(self) -> None:
        """Wait until they are open, and have what they take over from elsewhere.

        Raises:
            EngineError: they cannot be opened.
        """
        self._wanted.set()
        await self._ready.wait()
        self.now()

    async def run(self) -> None:
        """Open them when they are wanted, or soon; then keep house until cancelled."""
        with anyio.move_on_after(PATIENCE):
            await self._wanted.wait()
        try:
            works = await anyio.to_thread.run_sync(self.now, abandon_on_cancel=True)
            await works.carrying.receive()
        except EngineError:  # everybody who asks is told
            return
        finally:
            self._ready.set()
        for module in self._modules:
            if self._wanted.is_set():
                break
            await anyio.to_thread.run_sync(import_module, module, abandon_on_cancel=True)
        await works.housekeeping.run()

    async def close(self) -> None:
        """Close what was opened."""
        if self._result is not None and not isinstance(self._result, EngineError):
            await self._result.close()
