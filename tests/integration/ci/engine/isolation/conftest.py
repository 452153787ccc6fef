"""Sessions of the engine, each with an environment of its own, asked in plain GraphQL."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import sessions
from tests.sessions import environment

BASE = "python:3.11-slim"


class Session:
    """A session, and what a client would send it."""

    def __init__(self, session: sessions.Session) -> None:
        self.process = session.process
        self._session = session

    def ask(self, query: str) -> dict[str, Any]:
        """The answer, data and errors."""
        return self._session.ask(query, patience=600)

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


@pytest.fixture(scope="module")
def open_session(tmp_path_factory) -> Iterator[Callable[..., Session]]:
    """Opens sessions, each with variables of its own; they end with the module's tests."""
    with contextlib.ExitStack() as stack:

        def open_session(**variables: str) -> Session:
            opened = sessions.session(tmp_path_factory.mktemp("work"), environment(**variables))
            return Session(stack.enter_context(opened))

        yield open_session
