"""What can go wrong in the engine, and what a client is told about it.

An ``EngineError`` is the client's to read: its message names the thing, the place and the remedy. Any other
exception is a fault of the engine itself; the client learns only that there was one.
"""

import errno
from collections.abc import Mapping, Sequence
from typing import Any

# The last bytes of a failed command's output that travel with its error, as in Dagger's engine.
OUTPUT_LIMIT = 100 * 1024


class EngineError(Exception):
    """Something the client asked for cannot be done."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> Mapping[str, Any]:
        """What the GraphQL error carries beside its message."""
        return {}


class NotServedError(EngineError):
    """A part of Dagger's API that this engine does not have."""


class UnauthorizedError(EngineError):
    """A request without the session's token."""


class ExecError(EngineError):
    """A command ran and its exit code was not one of those expected."""

    def __init__(
        self,
        cmd: Sequence[str],
        exit_code: int,
        stdout: str,
        stderr: str,
        *,
        context: str = "",
        stripped: bool = True,
    ) -> None:
        super().__init__(f"{context}exit code: {exit_code}")
        self.cmd = list(cmd)
        self.exit_code = exit_code
        # Dagger strips what a step printed, and leaves what a service printed as it is.
        self.stdout = shortened(stdout).strip() if stripped else shortened(stdout)
        self.stderr = shortened(stderr).strip() if stripped else shortened(stderr)

    def within(self, context: str) -> "ExecError":
        """The same error, where it matters to somebody else: ``context`` goes before its message."""
        before = context + self.message.removesuffix(f"exit code: {self.exit_code}")
        return ExecError(self.cmd, self.exit_code, self.stdout, self.stderr, context=before, stripped=False)

    @property
    def extensions(self) -> Mapping[str, Any]:
        """The keys by which every Dagger SDK builds its own ``ExecError``."""
        return {
            "_type": "EXEC_ERROR",
            "cmd": self.cmd,
            "exitCode": self.exit_code,
            "stdout": self.stdout,
            "stderr": self.stderr,
        }


class NotStarted(ExecError):
    """A command that could not be started, as Dagger tells it: its exit code is -1, the message says why."""

    def __init__(self, cmd: Sequence[str], message: str) -> None:
        super().__init__(cmd, -1, "", "")
        self.args = (message,)
        self.message = message

    def within(self, context: str) -> "NotStarted":
        """The same error, where it matters to somebody else."""
        return NotStarted(self.cmd, context + self.message)


def reason(error: OSError) -> str:
    """What went wrong, in the words of Dagger's engine: "no such file or directory"."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def out_of_room(error: BaseException, place: object) -> EngineError | None:
    """What to tell a client when ``error`` means that the disk of ``place`` is full, else None."""
    import sqlite3  # not to be loaded before something can fill the disk

    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    full = full or (isinstance(error, sqlite3.Error) and "disk is full" in str(error))
    if not full:
        return None
    return EngineError(
        f"no space left for {place}: free some space there, or name a folder on another disk in SHIPWAY_STATE"
    )


def shortened(output: str, limit: int = OUTPUT_LIMIT) -> str:
    """Return the last ``limit`` bytes of ``output``, the first of them overwritten with how many are gone."""
    data = output.encode()
    if len(data) <= limit:
        return output
    return marked(data[-limit:], len(data) - limit).decode(errors="replace")


def marked(tail: bytes, omitted: int) -> bytes:
    """The end of an output, its first bytes overwritten with how many are missing."""
    mark = b"[omitting %d bytes]..." % omitted
    return mark + tail[len(mark) :]
