"""``dagger run``: a command of the user's, with a session for it to use."""

import errno
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ci.engine.commands.engine import engine

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KERNEL = 0x80  # si_code SI_KERNEL: the terminal sent it, to every process in the foreground


class CommandNotFoundError(Exception):
    """There is no such command to run."""


def run(command: Sequence[str], workdir: Path, progress: str, cleanup_seconds: float) -> int:
    """Run a command in a session; return its exit code, or 128 and the number of the signal that ended it.

    Raises:
        NoEngineError: there is no session to be had.
        CommandNotFoundError: there is no such command.
    """
    # The tree has the terminal to itself: what the command writes is shown when the tree has gone.
    held = progress == "tty" and sys.stderr.isatty()
    with _held_output(held) as actions, engine(workdir, progress) as connection:
        return _supervised(command, {**os.environ, **connection.variables()}, actions, cleanup_seconds)


def _supervised(
    command: Sequence[str],
    environ: Mapping[str, str],
    actions: Sequence[tuple[int, int, int]],
    cleanup_seconds: float,
) -> int:
    """Run a command and pass signals on to it; after the first one it has ``cleanup_seconds`` to end."""
    watched = {*PASSED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        pid = os.posix_spawnp(command[0], list(command), environ, file_actions=actions, setsigmask=before)
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        reason = "executable file not found in $PATH" if error.errno == errno.ENOENT else error.strerror
        raise CommandNotFoundError(f'exec: "{command[0]}": {reason}') from None
    try:
        return _awaited(pid, watched, cleanup_seconds)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _awaited(pid: int, watched: Collection[signal.Signals], cleanup_seconds: float) -> int:
    deadline: float | None = None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        left = 3600.0 if deadline is None else max(deadline - time.monotonic(), 0)
        came = signal.sigtimedwait(watched, left)
        if came is None and deadline is not None:
            os.kill(pid, signal.SIGKILL)
            deadline = None
        elif came is not None and came.si_signo in PASSED_ON:
            deadline = deadline or time.monotonic() + cleanup_seconds
            if came.si_code != KERNEL:
                os.kill(pid, came.si_signo)


@contextmanager
def _held_output(held: bool) -> Iterator[list[tuple[int, int, int]]]:
    """Yield how to redirect the command's output, and show what was held back afterwards."""
    if not held:
        yield []
        return
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            yield [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        finally:
            _copy(out, sys.stdout.buffer)
            _copy(err, sys.stderr.buffer)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    source.seek(0)
    shutil.copyfileobj(source, target)
    target.flush()
