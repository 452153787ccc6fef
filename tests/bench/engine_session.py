"""A session of the embedded engine that is asked in plain GraphQL: what it takes is the engine's own."""

import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ci.engine.connection import Connection

DAGGER = str(Path(sys.executable).with_name("dagger"))
BASE = "python:3.11-slim"
_PATIENCE = 60  # seconds for a session to end


@dataclass(frozen=True, slots=True)
class Engine:
    """A running session: its process, and a connection that is kept."""

    process: subprocess.Popen
    http: http.client.HTTPConnection
    token: str

    def ask(self, query: str) -> dict:
        """The data of an answer; an error in it is an error."""
        login = base64.b64encode(f"{self.token}:".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        self.http.request("POST", "/query", json.dumps({"query": query}), headers)
        answer = json.loads(self.http.getresponse().read())
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def seconds(self, query: str) -> float:
        """How long an answer takes."""
        started = time.perf_counter()
        self.ask(query)
        return time.perf_counter() - started

    def memory(self) -> int:
        """What the engine's process has in memory now, in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024


@contextmanager
def engine(workdir: Path, **environ: str) -> Iterator[Engine]:
    """A session while the block lasts; what it says to people is part of every failure of its own.

    Raises:
        RuntimeError: it tells no way to reach it, or has not ended a minute after it was asked to.
    """
    with (
        tempfile.TemporaryFile("w+") as stderr,
        subprocess.Popen(
            [DAGGER, "session", "--embedded", "--workdir", str(workdir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **environ},
        ) as process,
    ):
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the session ended ({process.wait(_PATIENCE)}) and said: {_said(stderr)}")
        connection = Connection.from_line(line)
        client = http.client.HTTPConnection("127.0.0.1", connection.port, timeout=600)
        try:
            yield Engine(process, client, connection.token)
        finally:
            client.close()
            process.stdin.close()
            _await_end(process, stderr)


def _await_end(process: subprocess.Popen, stderr: TextIO) -> None:
    """Wait for a session that was asked to end; one that does not is killed, and told with its children."""
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        command = ["ps", "-eo", "pid,ppid,wchan:24,args"]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        own = [row for row in found.stdout.splitlines() if str(process.pid) in row.split()[:2]]
        process.kill()
        raise RuntimeError("\n".join(["the session did not end", *own, _said(stderr)])) from None


def _said(stderr: TextIO) -> str:
    stderr.seek(0)
    return stderr.read()[-10_000:]


def side_by_side(steps: int, mark: str) -> str:
    """A query for steps of one second that do not need each other."""
    each = " ".join(
        f's{number}: withExec(args: ["sh", "-c", "sleep 1", "{mark}-{number}"]) {{ sync }}'
        for number in range(steps)
    )
    return f'{{ container {{ from(address: "{BASE}") {{ {each} }} }} }}'


def chain(engine_: Engine, steps: int, mark: str, at_once: int = 200) -> float:
    """Seconds for a chain of steps, asked for in pieces: each goes on from where the one before ended."""
    seconds, head = 0.0, f'container {{ from(address: "{BASE}") {{'
    for start in range(0, steps, at_once):
        numbers = range(start, min(start + at_once, steps))
        calls = "".join(f'withExec(args: ["true", "{mark}", "{number}"]) {{ ' for number in numbers)
        ends = "}" * (head.count("{") + len(numbers) + 1)
        started = time.perf_counter()
        answer = engine_.ask(f"{{ {head} {calls} sync {ends}")
        seconds += time.perf_counter() - started
        while isinstance(answer, dict):
            (answer,) = answer.values()
        head = f'loadContainerFromID(id: "{answer}") {{'
    return seconds
