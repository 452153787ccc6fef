"""The user's terminal, for an engine that is asked to open a shell in a container."""

import contextlib
import fcntl
import os
import termios
from collections.abc import Iterator


@contextlib.contextmanager
def users_terminal() -> Iterator[int | None]:
    """The terminal that this command was started on, as a descriptor; None where there is none.

    It is left as it was found, also by an engine that ended in the middle of a session on it.
    """
    terminal = _opened()
    if terminal is None:
        yield None
        return
    before = termios.tcgetattr(terminal)
    try:
        yield terminal
    finally:
        if _is_ours(terminal) and termios.tcgetattr(terminal) != before:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        os.close(terminal)


def _is_ours(terminal: int) -> bool:
    """Whether no other command has the terminal: one in the background would be stopped for touching it."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it does not control this session, and nothing is stopped
        return True


def _opened() -> int | None:
    with contextlib.suppress(OSError):
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    # It may control another session, as under su: then it is what is read from, if one can write there too.
    writable = os.isatty(0) and fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    return os.dup(0) if writable else None
