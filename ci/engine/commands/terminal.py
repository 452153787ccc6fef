"""The user's terminal, for an engine that is asked to open a shell in a container."""

import contextlib
import os
import termios
from collections.abc import Iterator


@contextlib.contextmanager
def users_terminal() -> Iterator[int | None]:
    """The terminal that this command was started on, as a descriptor; None where there is none.

    It is left as it was found, also by an engine that ended in the middle of a session on it.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield None
        return
    before = termios.tcgetattr(terminal)
    try:
        yield terminal
    finally:
        if termios.tcgetattr(terminal) != before:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        os.close(terminal)
