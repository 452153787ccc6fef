"""A real registry, a server that fails on demand, and a cache that outlives the run."""

import contextlib
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import pytest

from ci.engine.images import Reference, transport
from ci.engine.images.debian.archive import Archive
from ci.engine.images.debian.deb import read_deb
from ci.engine.state import folder
from ci.engine.store.blobs import Blobs
from tests.bench import registry as registries

PACKAGE = "docker-registry"


@pytest.fixture(scope="session")
def cache() -> Path:
    """A folder for what is fetched: packages are, once."""
    path = folder() / "tests"
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture(scope="session")
def registry_program(cache) -> Path:
    """Debian's registry, taken out of its package, so that no one has to install it."""
    program = cache / PACKAGE
    if not program.exists():
        anyio.run(_fetch_registry, cache, program)
    return program


async def _fetch_registry(cache: Path, program: Path) -> None:
    blobs = Blobs(cache / "debian")
    async with Archive(blobs) as archive:
        suites = await archive.suites("bookworm")
        package = (await archive.index(suites, "amd64"))[PACKAGE]
        with (cache / "contents").open("w+b") as contents:
            deb = read_deb(await archive.package(package), contents)
            (member,) = (each for each in deb.members if each.path == f"usr/bin/{PACKAGE}")
            fresh = program.with_suffix(".new")
            fresh.write_bytes(member.open().read())
    fresh.chmod(0o755)
    fresh.replace(program)


@pytest.fixture(scope="session")
def start_registry(registry_program) -> Iterator[Callable[[str], str]]:
    """Start a registry with more lines of configuration; its host and port."""
    with contextlib.ExitStack() as stack:
        yield lambda more="": stack.enter_context(registries.registry(registry_program, more))


@pytest.fixture(scope="session")
def registry(start_registry) -> str:
    """A registry that anyone may use."""
    return start_registry()


@pytest.fixture(scope="session")
def private_registry(start_registry) -> str:
    """A registry that only `me` with the password `secret` may use."""
    return start_registry("auth: {{htpasswd: {{realm: test, path: {home}/htpasswd}}}}\n")


@pytest.fixture
def hurried(monkeypatch) -> None:
    """Attempts follow each other at once."""
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.01)


@pytest.fixture
def name(request) -> str:
    """A repository of the test's own."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")


@pytest.fixture
def ours(registry, name) -> Reference:
    return Reference(registry, name, "1")


@pytest.fixture
def blobs(tmp_path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@dataclass
class Answer:
    """What a server is to answer: `cut` is after how many bytes of the body the connection breaks.

    One that `stalls` answers nothing, for as long as the test lasts; one that `drips` sends a byte at a time.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    stalls: bool = False
    drips: float = 0.0


@dataclass
class Server:
    """A server that gives prepared answers by path, the last one again and again."""

    host: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def answer() -> type[Answer]:
    """What the server's answers are made of."""
    return Answer


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.server.found
        found.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        waiting = found.answers.get(self.path.partition("?")[0]) or [Answer(status=404)]
        with contextlib.suppress(OSError):
            self.give(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    def give(self, answer: Answer) -> None:
        if answer.stalls:
            self.server.found.over.wait()
            return
        body, status = answer.body, answer.status
        if (asked := self.headers.get("range")) and status == 200:
            body, status = body[int(asked.removeprefix("bytes=").rstrip("-")) :], 206
        self.send_response(status)
        for header, value in {"content-length": str(len(body)), **answer.headers}.items():
            self.send_header(header, value)
        self.end_headers()
        if answer.drips:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server.found.over.wait(answer.drips):
                    return
        self.wfile.write(body[: answer.cut])

    def log_message(self, *args: object) -> None:
        """Nothing: pytest's output is for tests."""


class _Prepared(ThreadingHTTPServer):
    found: Server


@contextlib.contextmanager
def prepared(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server of prepared answers, over TLS with a `context`."""
    with _Prepared(("127.0.0.1", 0), _Handler) as http:
        http.found = Server(f"127.0.0.1:{http.server_port}")
        if context is not None:
            http.socket = context.wrap_socket(http.socket, server_side=True)
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield http.found
        http.found.over.set()
        http.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with prepared() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Server]:
    """A server at another place."""
    with prepared() as found:
        yield found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate that nobody trusts, for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "ca.crt", folder / "ca.key"
    wanted = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made]
    subprocess.run([*command, *wanted], check=True, capture_output=True)
    return made, key


@pytest.fixture
def secure(certificate) -> Iterator[Server]:
    """A server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with prepared(context) as found:
        yield found
