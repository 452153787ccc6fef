"""Sessions as an SDK has them: processes of their own, found by one line."""

import base64
import http.client
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[5]
LAUNCHER = f"""#!{sys.executable}
import sys
from ci.engine.cli import main
sys.exit(main())
"""
# A client of the API: `client ROOT QUERY`, where DIRECTORY in the query stands for the folder ROOT.
CLIENT = """
import base64, http.client, json, os, sys

def ask(query):
    client = http.client.HTTPConnection("127.0.0.1", int(os.environ["DAGGER_SESSION_PORT"]))
    token = base64.b64encode((os.environ["DAGGER_SESSION_TOKEN"] + ":").encode()).decode()
    client.request("POST", "/query", json.dumps({"query": query}), {"authorization": "Basic " + token})
    return json.loads(client.getresponse().read())

root, rest = sys.argv[1:]
directory = ask('{host{directory(path:"%s"){id}}}' % root)["data"]["host"]["directory"]["id"]
answer = ask(rest.replace("DIRECTORY", json.dumps(directory)))
print(json.dumps(answer))
sys.exit("errors" in answer)
"""


@dataclass
class Running:
    """A `dagger session` that is running."""

    process: subprocess.Popen
    port: int
    token: str

    def post(self, body: bytes | str, token: str | None = None, path: str = "/query", method: str = "POST"):
        """Send a request; returns the HTTP status and the answer's body."""
        with self.posting(body, token, path, method) as client:
            response = client.getresponse()
            return response.status, response.read()

    @contextmanager
    def posting(
        self, body: bytes | str, token: str | None = None, path: str = "/query", method: str = "POST"
    ):
        """Send a request, and close its connection when the block is left, answered or not."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        credentials = base64.b64encode(f"{self.token if token is None else token}:".encode()).decode()
        try:
            client.request(method, path, body, {"authorization": f"Basic {credentials}"})
            yield client
        finally:
            client.close()

    def ask(self, query: str, **variables: object) -> dict:
        """Ask a query; returns the answer's document."""
        return json.loads(self.post(json.dumps({"query": query, "variables": variables}))[1])


@pytest.fixture(scope="session")
def dagger(tmp_path_factory) -> str:
    """Our `dagger` command."""
    path = tmp_path_factory.mktemp("bin") / "dagger"
    path.write_text(LAUNCHER)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture(scope="session")
def environ(tmp_path_factory) -> dict[str, str]:
    """An environment with a state folder of its own, and no session and no other dagger in it."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DAGGER_", "_EXPERIMENTAL", "OTEL_"))}
    state = tmp_path_factory.mktemp("state")
    return own | {"SHIPWAY_STATE": str(state), "SHIPWAY_DAGGER": "embedded", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def start(dagger, environ) -> Iterator[Callable[..., Running]]:
    """Start a session; whatever a test leaves running is ended."""
    with ExitStack() as stack:

        def start(*options: str, **more: str) -> Running:
            process = subprocess.Popen(
                [dagger, "session", *options],
                env=environ | more,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)  # which closes its stdin, and waits for it
            line = json.loads(process.stdout.readline())
            return Running(process, line["port"], line["session_token"])

        yield start


@pytest.fixture
def running(start) -> Running:
    """A session."""
    return start()


@pytest.fixture(scope="session")
def client(tmp_path_factory) -> str:
    """A program for `dagger run`: `client ROOT QUERY` prints the answer to a query about a folder."""
    path = tmp_path_factory.mktemp("client") / "client.py"
    path.write_text(CLIENT)
    return str(path)


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    """A file system with a shell and a few programs."""
    root = tmp_path_factory.mktemp("root")
    (root / "usr/bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    for name in ("sh", "cat", "stty", "tty", "sleep", "id", "sed"):
        program = shutil.which(name)
        assert program is not None, name
        shutil.copy(program, root / "usr/bin" / name)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S+) \(0x", linked):
            target = root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
    return root
