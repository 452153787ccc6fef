"""A session of the embedded engine that is asked in plain GraphQL: what it takes is the engine's own."""

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import sessions

BASE = "python:3.11-slim"


@dataclass(frozen=True, slots=True)
class Engine:
    """A running session: its process, and a connection that is kept."""

    process: subprocess.Popen
    http: http.client.HTTPConnection
    token: str

    def ask(self, query: str) -> dict:
        """The data of an answer; an error in it is an error."""
        answer = sessions.ask(self.http, self.token, query)
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
    """A session while the block lasts; one that is killed meanwhile is no failure of its own."""
    with sessions.session(workdir, {**os.environ, **environ}, check=False) as session:
        at = session.connection
        with closing(http.client.HTTPConnection("127.0.0.1", at.port, timeout=600)) as client:
            yield Engine(session.process, client, at.token)


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
