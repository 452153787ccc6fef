"""What a plugin's process prints: the port that it serves at, and then whatever it has to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import anyio.abc

from infra.engine.display.events import Severity

GRACE_SECONDS = 2
_LARGEST_READ = 65536

Say = Callable[[Severity, str], None]
"""Told each line that a plugin prints."""


class Said:
    """What a plugin prints: its port, on the first line, and then whatever it has to say."""

    def __init__(self, process: anyio.abc.Process, say: Say) -> None:
        self._process = process
        self._say = say
        self._rest = b""
        self._errors = asyncio.create_task(self._pass_on(process.stderr, "info#err", b""))
        self._output: asyncio.Task[None] | None = None

    async def first_line(self) -> str:
        """The first line of the output; the others are passed on from now on."""
        stream, text = self._process.stdout, b""
        while stream is not None and b"\n" not in text:
            try:
                text += await stream.receive(_LARGEST_READ)
            except anyio.EndOfStream:
                break
        line, _, rest = text.partition(b"\n")
        self._output = asyncio.create_task(self._pass_on(stream, "info", rest))
        return line.decode(errors="replace").strip()

    async def _pass_on(
        self, stream: anyio.abc.ByteReceiveStream | None, severity: Severity, rest: bytes
    ) -> None:
        while stream is not None:
            *lines, rest = rest.split(b"\n")
            for line in lines:
                self._say(severity, line.decode(errors="replace"))
            try:
                rest += await stream.receive(_LARGEST_READ)
            except (anyio.EndOfStream, anyio.ClosedResourceError):
                break
        if rest:
            self._say(severity, rest.decode(errors="replace"))

    def hush(self) -> None:
        """Pass nothing on any more: how a plugin takes being ended is nobody's business."""
        self._say = lambda _severity, _line: None

    async def close(self) -> None:
        """Wait for the last words."""
        tasks = [task for task in (self._errors, self._output) if task is not None]
        await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in tasks:
            task.cancel()
