"""Sessions of the engine, each with an environment of its own, asked in plain GraphQL."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BASE = "python:3.11-slim"


class Session:
    """A session, and what a client would send it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        line = json.loads(process.stdout.readline())
        self._url = f"http://127.0.0.1:{line['port']}/query"
        self._token = base64.b64encode(f"{line['session_token']}:".encode()).decode()

    def ask(self, query: str) -> dict[str, Any]:
        """The answer, data and errors."""
        headers = {"Authorization": f"Basic {self._token}", "Content-Type": "application/json"}
        body = json.dumps({"query": query}).encode()
        with urllib.request.urlopen(urllib.request.Request(self._url, body, headers)) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def run(self, script: str, *between: str, **options: str) -> tuple[int, str, str]:
        """Exit code and outputs of a Python script in a step that no other run has cached."""
        chain = " ".join(f"{call} {{" for call in between)
        more = "".join(f", {name}: {value}" for name, value in options.items())
        args = json.dumps(["python3", "-c", script, uuid.uuid4().hex])
        answer = self.ask(
            f'{{ container {{ from(address: "{BASE}") {{ {chain} withExec(args: {args}{more})'
            f" {{ stdout stderr }} {'}' * len(between)} }} }} }}"
        )
        if "errors" in answer:
            told = answer["errors"][0].get("extensions", {})
            return (
                told.get("exitCode", -1),
                told.get("stdout", ""),
                told.get("stderr", answer["errors"][0]["message"]),
            )
        found = answer["data"]["container"]["from"]
        while "withExec" not in found:
            (found,) = found.values()
        return 0, found["withExec"]["stdout"], found["withExec"]["stderr"]

    def service(self, script: str, port: int) -> str:
        """The id of a service that is a Python script."""
        args = json.dumps(["python3", "-u", "-c", script, uuid.uuid4().hex])
        answer = self.ask(
            f'{{ container {{ from(address: "{BASE}") {{ withExposedPort(port: {port}) {{'
            f" asService(args: {args}) {{ id }} }} }} }} }}"
        )
        found: str = answer["data"]["container"]["from"]["withExposedPort"]["asService"]["id"]
        return found


@contextlib.contextmanager
def session(workdir: Path, **environment: str) -> Iterator[Session]:
    """A session whose engine has these variables too."""
    command = [
        str(Path(sys.executable).with_name("dagger")),
        "session",
        "--embedded",
        "--workdir",
        str(workdir),
    ]
    environ = {**os.environ, **environment}
    if state := os.environ.get("SHIPWAY_TEST_STATE"):  # else the user's, which has the base image already
        environ["SHIPWAY_STATE"] = state
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    ) as process:
        yield Session(process)
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture(scope="module")
def open_session(tmp_path_factory) -> Iterator[Callable[..., Session]]:
    """Opens sessions that end with the module's tests."""
    with contextlib.ExitStack() as stack:
        yield lambda **environment: stack.enter_context(
            session(tmp_path_factory.mktemp("work"), **environment)
        )
