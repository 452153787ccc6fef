"""What the user's command writes while a tree has the terminal: read from pipes, shown above the tree."""

import codecs
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

CHUNK = 65536
LAST_SECONDS = 1.0  # a process that the command left behind may keep a pipe open for ever


class Screen(Protocol):
    """Where whole lines are shown, and the start of one."""

    def print(self, line: str) -> None:
        """Show a whole line."""

    def prompt(self, line: str) -> None:
        """Show the start of a line."""


@contextmanager
def shown_by(screen: Screen, outputs: Sequence[int]) -> Iterator[None]:
    """Show what comes out of ``outputs`` while the block lasts, and then what is left of it."""
    threads = [threading.Thread(target=_read, args=(screen, number), daemon=True) for number in outputs]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(LAST_SECONDS)


def _read(screen: Screen, number: int) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    unfinished = ""
    while chunk := os.read(number, CHUNK):
        *whole, unfinished = (unfinished + decoder.decode(chunk)).split("\n")
        for line in whole:
            screen.print(line.rstrip("\r"))
        screen.prompt(unfinished)
    if unfinished:
        screen.print(unfinished)
        screen.prompt("")
    os.close(number)
