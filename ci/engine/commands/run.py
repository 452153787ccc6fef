"""``dagger run``: a command of the user's, with a session for it to use."""

import errno
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ci.engine.commands.caller import Caller
from ci.engine.commands.engine import Outcome, engine
from ci.engine.commands.terminal import users_terminal
from ci.engine.connection import Connection
from ci.engine.telemetry.endpoints import Endpoints

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KERNEL = 0x80  # si_code SI_KERNEL: the terminal sent it, to every process in the foreground


class CommandNotFoundError(Exception):
    """There is no such command to run."""


def run(
    command: Sequence[str],
    workdir: Path,
    progress: str,
    cleanup_seconds: float,
    *,
    brief: bool = False,
    interactive: Sequence[str] = (),
) -> int:
    """Run a command in a session; return its exit code, or 128 and the number of the signal that ended it.

    ``interactive`` is what to run on the user's terminal in a container whose command failed.

    Raises:
        NoEngineError: there is no session to be had.
        CommandNotFoundError: there is no such command.
    """
    caller, outcome = Caller.of_this_command(), Outcome()
    with ExitStack() as stack:
        # A tree has the terminal to itself: what the command writes is shown above it, by the engine.
        outputs = stack.enter_context(_outputs()) if progress == "tty" else _Outputs()
        terminal = stack.enter_context(users_terminal()) if progress != "quiet" else None
        caller = replace(
            caller, outputs=outputs.ours, terminal=terminal, brief=brief, interactive=tuple(interactive)
        )
        connection = stack.enter_context(engine(workdir, progress, caller=caller, outcome=outcome))
        environ = {**os.environ, **connection.variables()}
        if caller.inside is not None and Connection.from_variables(os.environ) is None:
            environ["TRACEPARENT"] = caller.inside.traceparent
            if (protocol := Endpoints.of(os.environ).traces) is not None:
                # An SDK wants these as well to export its own spans: it may have another default.
                environ.setdefault("OTEL_TRACES_EXPORTER", "otlp")
                environ.setdefault("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        outcome.exit_code = _supervised(command, environ, outputs, cleanup_seconds)
    return outcome.exit_code


def _supervised(
    command: Sequence[str],
    environ: Mapping[str, str],
    outputs: "_Outputs",
    cleanup_seconds: float,
) -> int:
    """Run a command and pass signals on to it; after the first one it has ``cleanup_seconds`` to end."""
    watched = {*PASSED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        pid = os.posix_spawnp(
            command[0], list(command), environ, file_actions=outputs.actions, setsigmask=before
        )
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        reason = "executable file not found in $PATH" if error.errno == errno.ENOENT else error.strerror
        raise CommandNotFoundError(f'exec: "{command[0]}": {reason}') from None
    finally:
        outputs.close()
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


@dataclass(slots=True)
class _Outputs:
    """Pipes for what the command writes: where it is to be read, and (descriptor, pipe's end) for itself."""

    ours: tuple[int, ...] = ()
    theirs: tuple[tuple[int, int], ...] = ()

    @property
    def actions(self) -> list[tuple[int, int, int]]:
        """What makes them the command's."""
        return [(os.POSIX_SPAWN_DUP2, end, number) for number, end in self.theirs]

    def close(self) -> None:
        """Leave them to those who use them: the readers learn when the last writer has gone."""
        numbers = (*self.ours, *(end for _, end in self.theirs))
        self.ours = self.theirs = ()
        for number in numbers:
            os.close(number)


@contextmanager
def _outputs() -> Iterator[_Outputs]:
    """Pipes for those of the command's outputs that would go to the terminal."""
    pipes = {stream.fileno(): os.pipe() for stream in (sys.stdout, sys.stderr) if stream.isatty()}
    outputs = _Outputs(
        tuple(reading for reading, _ in pipes.values()),
        tuple((number, writing) for number, (_, writing) in pipes.items()),
    )
    try:
        yield outputs
    finally:
        outputs.close()
