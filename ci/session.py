"""Starts `dagger session` when this process isn't inside one already, and says where it listens.

This is all that the pipeline knows of a Dagger installation: the command's protocol, which is the same for
the real program and for the embedded one. It prints one line of JSON with the keys ``port`` and
``session_token``, and serves until its standard input is closed. It is started before the SDK is imported,
so that the two take place side by side.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PORT = "DAGGER_SESSION_PORT"
TOKEN = "DAGGER_SESSION_TOKEN"  # noqa: S105  # a variable's name
OWN_CLI = "_EXPERIMENTAL_DAGGER_CLI_BIN"
CLOSING_SECONDS = 300  # a real engine may still be writing its cache


class EngineTrouble(Exception):
    """The engine, or this machine, could not do its part; the text says what and why."""


class NoSession(EngineTrouble):
    """No Dagger session could be had; the text says why and what to do."""


class Session:
    """A `dagger session` of our own, or none when the environment already has one.

    Entering it starts the program and returns at once; `ready` waits for its line.
    """

    def __init__(
        self, environ: MutableMapping[str, str], root: Path, *, stderr: IO[str] | None = None
    ) -> None:
        """Prepare a session for ``root``; the program's messages go to ``stderr``, as they come."""
        self._environ = environ
        self._root = root
        self._stderr = stderr
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start the program, unless the environment has a session.

        Raises:
            NoSession: there is no `dagger` to start.
        """
        if PORT in self._environ:
            return self
        command = [find_cli(self._environ), "session", "--label", "dagger.io/sdk.name:python"]
        try:
            # A process group of its own: Ctrl-C is for us, and we end the session in good order.
            self._process = subprocess.Popen(
                command,
                cwd=self._root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                encoding="utf-8",
                process_group=0,
            )
        except OSError as error:
            raise NoSession(f"Cannot start {command[0]}: {error.strerror}.") from None
        return self

    def ready(self) -> None:
        """Wait until the session serves, and put its address into the environment for the SDK. Blocking.

        Raises:
            NoSession: the program ended, or said something else than the protocol has.
        """
        if self._process is None:
            return
        assert self._process.stdout is not None  # noqa: S101  # asked for with PIPE
        line = self._process.stdout.readline()
        try:
            answer = json.loads(line)
            found = {PORT: str(int(answer["port"])), TOKEN: str(answer["session_token"])}
        except (ValueError, KeyError, TypeError):
            said = f"said {line.strip()!r}" if line else f"ended with exit code {self._process.wait()}"
            raise NoSession(
                f"`dagger session` {said} instead of saying where it listens; see above."
            ) from None
        self._environ.update(found)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program by closing its standard input, and wait for it."""
        process, self._process = self._process, None
        if process is None:
            return
        for name in (PORT, TOKEN):
            self._environ.pop(name, None)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            process.wait(CLOSING_SECONDS)
        except BaseException:  # also a second Ctrl-C
            process.terminate()
            process.wait(10)
            raise


def find_cli(environ: Mapping[str, str]) -> str:
    """The `dagger` program: the one the environment names, the one of this virtual environment, or PATH's.

    Raises:
        NoSession: there is none.
    """
    own = environ.get(OWN_CLI, "")
    beside = Path(sys.executable).with_name("dagger")
    if own:
        return own
    if os.access(beside, os.X_OK):
        return str(beside)
    if found := shutil.which("dagger", path=environ.get("PATH")):
        return found
    raise NoSession("There is no `dagger` in this environment or on PATH. Run `make setup`.")
