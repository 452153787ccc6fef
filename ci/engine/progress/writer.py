"""Writes text from a thread of its own, so that a slow terminal does not hold up the session."""

import contextlib
import queue
import threading
from types import TracebackType
from typing import Self, TextIO

WAITING = 4 << 20  # characters; beyond them the session does wait, rather than fill the memory


class _Texts(queue.Queue[str | None]):
    """Texts to be written, and None at the end; as full as they are long."""

    _length = 0

    def _qsize(self) -> int:
        return self._length

    def _put(self, item: str | None) -> None:
        super()._put(item)
        self._length += _length(item)

    def _get(self) -> str | None:
        item = super()._get()
        self._length -= _length(item)
        return item


def _length(text: str | None) -> int:
    return 1 + len(text or "")  # none is nothing: a queue without length is empty


class Writer:
    """A context manager; what was written is out when the block is left."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._texts = _Texts(WAITING)
        self._free = threading.Event()
        self._free.set()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._texts.put(None)
        self._thread.join()

    def write(self, text: str) -> None:
        """Write ``text`` soon."""
        self._texts.put(text)

    def hold(self) -> None:
        """Write what there is, and then nothing more until it is released."""
        self._texts.join()
        self._free.clear()

    def release(self) -> None:
        """Write again."""
        self._free.set()

    def _run(self) -> None:
        while (text := self._texts.get()) is not None:
            self._free.wait()
            with contextlib.suppress(OSError, ValueError):  # a reader that has gone must not end the session
                self._to.write(text)
                self._to.flush()
            self._texts.task_done()
