"""Sessions of an engine as an SDK starts them (processes that tell one line), and clients of exactly one."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from ci.engine.connection import Connection

if TYPE_CHECKING:
    import dagger

DAGGER = str(Path(sys.executable).with_name("dagger"))
EMBEDDED = (DAGGER, "session", "--embedded")
_PATIENCE = 60  # seconds for a session to end
_KEPT = 1 << 20  # bytes


class _Told:
    """The end of a stream, read in a thread as fast as it comes: steps may print gigabytes."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._end = bytearray()
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while data := os.read(self._stream.fileno(), 1 << 20):
            with self._came:
                self._end += data
                if len(self._end) > 4 * _KEPT:
                    del self._end[:-_KEPT]
                self._came.notify_all()

    def when(self, words: Sequence[str]) -> str:
        """What there is of it, once there is all of ``words``."""
        with self._came:
            if not self._came.wait_for(lambda: all(word.encode() in self._end for word in words), _PATIENCE):
                raise TimeoutError(f"{words} is not in what the session said: {self._text()}")
            return self._text()

    def last(self) -> str:
        """What there is of it once its process has ended."""
        self._thread.join(_PATIENCE)
        return self._text()[-10_000:]

    def _text(self) -> str:
        return bytes(self._end).decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Session:
    """A session that runs."""

    process: subprocess.Popen[str]
    connection: Connection
    _told: _Told

    def said(self, *words: str) -> str:
        """What it has said to people (a megabyte of it, at least), once all ``words`` are in it.

        Raises:
            TimeoutError: they are not, after a minute.
        """
        return self._told.when(words)

    def ask(self, query: str, *, patience: float = 120) -> dict[str, Any]:
        """The answer's document, data and errors; ``patience`` is in seconds."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.connection.port, timeout=patience)) as to:
            return ask(to, self.connection.token, query)


def ask(to: http.client.HTTPConnection, token: str, query: str) -> dict[str, Any]:
    """The answer's document to a query sent over a connection that stays open."""
    request(to, token, query)
    document: dict[str, Any] = json.loads(to.getresponse().read())
    return document


def request(to: http.client.HTTPConnection, token: str, query: str) -> None:
    """Send a query, and wait for no answer."""
    login = base64.b64encode(f"{token}:".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    to.request("POST", "/query", json.dumps({"query": query}), headers)


def environment(**more: str) -> dict[str, str]:
    """This process's environment as tests give it to an engine: no session is in it, and no other Dagger."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DAGGER_", "_EXPERIMENTAL", "OTEL_"))}
    if state := os.environ.get("SHIPWAY_TEST_STATE"):  # else the user's, which has the base image already
        own["SHIPWAY_STATE"] = state
    return own | more


@contextmanager
def session(
    workdir: Path,
    environ: Mapping[str, str],
    *options: str,
    command: Sequence[str] = EMBEDDED,
    check: bool = True,
) -> Iterator[Session]:
    """A session while the block lasts, whose client works in ``workdir``; it ends when its stdin does.

    What it says to people is part of every failure of its own.

    Raises:
        RuntimeError: it tells no way to reach it, or has not ended a minute after it was asked to, or,
            where that is to be checked, does not end well.
    """
    with subprocess.Popen(
        [*command, *options],
        cwd=workdir,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(environ),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        told = _Told(process.stderr)
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the session ended ({process.wait(_PATIENCE)}) and said: {told.last()}")
        try:
            yield Session(process, Connection.from_line(line), told)
        finally:
            process.stdin.close()
            _await_end(process, told)
        if check and process.returncode:
            raise RuntimeError(f"the session ended with {process.returncode} and said: {told.last()}")


def _await_end(process: subprocess.Popen[str], told: _Told) -> None:
    """Wait for a session that was asked to end; one that does not is killed, and told with its children."""
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        command = ["ps", "-eo", "pid,ppid,wchan:24,args"]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        own = [row for row in found.stdout.splitlines() if str(process.pid) in row.split()[:2]]
        process.kill()
        raise RuntimeError("\n".join(["the session did not end", *own, told.last()])) from None
    told.last()


@asynccontextmanager
async def client(at: Connection) -> AsyncIterator[dagger.Client]:
    """A client of a session: the SDK's own one, which is one for a process, may be of another."""
    import dagger

    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as variables:
            for name, value in at.variables().items():
                variables.setenv(name, value)
            connected = await stack.enter_async_context(dagger.Connection())
        # From here on the variables are gone: whatever else is started must have a session of its own.
        yield connected
