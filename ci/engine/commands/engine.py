"""A session for a command to use: the one it is in already, or an engine process of its own.

The engine lives in namespaces of its own; a process started from it would too. So whoever runs something of
the user's stays outside, and has the engine beside it as a child.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ci.engine.commands.caller import Caller
from ci.engine.connection import Connection

CLOSING_SECONDS = 60.0


class NoEngineError(Exception):
    """The engine did not start; it has said why on stderr."""


@dataclass(slots=True)
class Outcome:
    """How the command went that an engine serves; the engine is told, and what it shows depends on it."""

    exit_code: int = 0


@contextmanager
def engine(
    workdir: Path,
    progress: str,
    environ: Mapping[str, str] = os.environ,
    *,
    caller: Caller | None = None,
    outcome: Outcome | None = None,
) -> Iterator[Connection]:
    """Yield the connection to a session that serves while the block lasts.

    ``caller`` is this process as the user started it, unless something else is given. A block that is left
    by an exception has failed.

    Raises:
        NoEngineError: the engine could not start.
    """
    caller = caller or Caller.of_this_command()
    outcome = outcome or Outcome()
    if (known := Connection.from_variables(environ)) is not None:
        yield known
        return
    command = [sys.executable, "-m", "ci.engine.cli", "session", "--embedded", "--quiet-start"]
    command += ["--workdir", str(workdir), "--progress", progress, "--caller", caller.line()]
    passed = [*caller.outputs, *([] if caller.terminal is None else [caller.terminal])]
    # A session (setsid) of its own: Ctrl-C is for the user's command, and the engine ends after it.
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        encoding="utf-8",
        pass_fds=passed,
    )
    to_engine, from_engine = process.stdin, process.stdout
    assert to_engine is not None  # noqa: S101  # asked for with PIPE
    assert from_engine is not None  # noqa: S101
    try:
        line = from_engine.readline()
        try:
            connection = Connection.from_line(line)
        except ValueError:
            raise NoEngineError(f"the embedded engine ended with exit code {process.wait()}") from None
        yield connection
    except BaseException:
        outcome.exit_code = outcome.exit_code or 1
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):  # it has ended, and said why
            print(json.dumps({"exit_code": outcome.exit_code}), file=to_engine, flush=True)
        with contextlib.suppress(BrokenPipeError):
            to_engine.close()
        from_engine.close()
        try:
            process.wait(CLOSING_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
            raise
