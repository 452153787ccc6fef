"""Sessions of the two engines, and the corpus asked of one of them."""

import os
import shutil
import sys
import uuid
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anyio
import dagger
import httpx

from ci.engine.connection import Connection
from tests import sessions
from tests.parity.answer import Answer, answer
from tests.parity.corpus import ROOMS
from tests.parity.world import World

BASE = "python:3.11-slim"
RUNNER = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
OWN_CLI = "_EXPERIMENTAL_DAGGER_CLI_BIN"
EMBEDDED, REAL = "embedded", "real"


def real_cli(environ: Mapping[str, str]) -> str | None:
    """Dagger's own program, if there is one and an engine for it to reach."""
    if RUNNER not in environ:
        return None
    ours = Path(sys.executable).parent
    elsewhere = os.pathsep.join(
        folder
        for folder in environ.get("PATH", "").split(os.pathsep)
        if Path(folder).resolve() != ours.resolve()
    )
    return environ.get(OWN_CLI) or shutil.which("dagger", path=elsewhere)


def command(engine: str) -> list[str]:
    """What starts a session of an engine.

    Raises:
        LookupError: it is the real one, and there is none.
    """
    if engine == EMBEDDED:
        return [*sessions.EMBEDDED]
    program = real_cli(os.environ)
    if program is None:
        raise LookupError(f"no Dagger engine: set {RUNNER}, and {OWN_CLI} or PATH to Dagger's own program")
    return [program, "session"]


def session(engine: str, workdir: Path) -> AbstractContextManager[sessions.Session]:
    """A session of an engine, whose client works in ``workdir``."""
    environ = {**os.environ, "PARITY_SECRET": "of the environment"}
    return sessions.session(workdir, environ, command=command(engine), check=False)


def base_container(dag: dagger.Client, image: str) -> dagger.Container:
    """The base image, by a reference or as ``oci-archive:PATH``."""
    kind, _, path = image.partition(":")
    if kind == "oci-archive":
        return dag.container().import_(dag.host().file(path))
    return dag.container().from_(image)


class Asker:
    """Asks pipelines of one session."""

    def __init__(self, dag: dagger.Client, at: Connection, workdir: Path, image: str = BASE) -> None:
        """Take a connected client; ``workdir`` is where each pipeline gets a folder of its own."""
        self._dag = dag
        self._at = at
        self._workdir = workdir
        # A mark of its own: no step is known from an earlier run, which an engine may have run otherwise.
        self._base = base_container(dag, image).with_new_file("/run/parity", uuid.uuid4().hex)

    async def post(self, query: str) -> Any:
        """Send a document; its data, or the messages of its errors."""
        async with httpx.AsyncClient(auth=(self._at.token, ""), trust_env=False, timeout=60) as client:
            got = await client.post(f"http://127.0.0.1:{self._at.port}/query", json={"query": query})
        document = got.json()
        errors = [error["message"] for error in document.get("errors") or ()]
        return {"status": got.status_code, **({"errors": errors} if errors else {"data": document["data"]})}

    async def ask(self, room: str, name: str) -> Answer:
        """One pipeline's answer."""
        number = list(ROOMS[room]).index(name)
        folder = self._workdir / f"{room}-{number}"
        folder.mkdir()
        return await answer(ROOMS[room][name], World(self._dag, self._base, folder, self.post))

    async def ask_all(
        self, wanted: Iterable[tuple[str, str]], *, at_once: int
    ) -> dict[tuple[str, str], Answer]:
        """The answers of many, some of them at once."""
        await self._base.sync()
        found: dict[tuple[str, str], Answer] = {}
        limit = anyio.CapacityLimiter(at_once)

        async def one(room: str, name: str) -> None:
            async with limit:
                found[room, name] = await self.ask(room, name)

        async with anyio.create_task_group() as tasks:
            for room, name in wanted:
                tasks.start_soon(one, room, name)
        return found
