"""Query.http, as Dagger's own integration tests (core/integration/http_test.go) have it."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

CONTENT = b"Hello, checksum world!"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and keeps what it was asked."""

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        tag = f'"{self.server.tag}"'
        if self.path.startswith("/private") and self.headers["authorization"] != "Bearer token":
            self.send_error(401)
        elif self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("location", "/file.txt")
            self.end_headers()
        elif self.headers["if-none-match"] == tag:
            self.send_response(304)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("etag", tag)
            self.send_header("last-modified", "Sat, 26 Oct 1985 08:15:00 GMT")
            self.send_header("content-length", str(len(self.server.content)))
            self.end_headers()
            self.wfile.write(self.server.content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A web server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked, running.tag, running.content = [], "1", CONTENT
        running.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


async def refused(awaitable) -> str:
    """The message that something asked for is refused with."""
    with pytest.raises(dagger.QueryError) as problem:
        await awaitable
    return str(problem.value)


async def test_a_file_comes_from_a_url_under_its_last_part(dag, server):
    file = dag.http(f"{server.url}/some/file.txt?query=1")
    assert (await file.name(), await file.contents()) == ("file.txt", CONTENT.decode())
    assert await dag.http(f"{server.url}/").name() == "index"
    assert await dag.http(f"{server.url}/f", name="FooBar.md").name() == "FooBar.md"


async def test_a_file_is_its_owners_alone_unless_permissions_are_given(dag, server):
    assert await dag.http(f"{server.url}/f").stat().permissions() == 0o600
    assert await dag.http(f"{server.url}/f", permissions=0o765).stat().permissions() == 0o765


async def test_a_file_has_the_servers_time(dag, server, tmp_path):
    await dag.directory().with_file("f", dag.http(f"{server.url}/f")).export(str(tmp_path))
    assert (tmp_path / "f").stat().st_mtime == 499_162_500


async def test_a_url_is_asked_for_once_a_session(dag, server):
    for _ in range(3):
        assert await dag.http(f"{server.url}/once").contents() == CONTENT.decode()
    assert len(server.asked) == 1


async def test_what_has_not_changed_is_not_sent_again(dag, server):
    await dag.http(f"{server.url}/tagged").contents()
    other_name = dag.http(f"{server.url}/tagged", name="other")
    assert await other_name.contents() == CONTENT.decode()
    assert [headers.get("if-none-match") for _, headers in server.asked] == [None, '"1"']
    server.tag, server.content = "2", b"new"
    assert await dag.http(f"{server.url}/tagged", name="third").contents() == "new"


async def test_a_redirection_is_followed(dag, server):
    file = dag.http(f"{server.url}/moved")
    assert (await file.name(), await file.contents()) == ("moved", CONTENT.decode())


async def test_a_checksum_is_checked(dag, server):
    assert await dag.http(f"{server.url}/f", checksum=DIGEST).contents() == CONTENT.decode()
    wrong = f"sha256:{'0' * 64}"
    message = await refused(dag.http(f"{server.url}/f", checksum=wrong).contents())
    assert f"http checksum mismatch: expected {wrong}, got {DIGEST}" in message
    invalid = await refused(dag.http(f"{server.url}/f", checksum="not-a-digest").contents())
    assert 'invalid checksum "not-a-digest"' in invalid


async def test_a_header_from_a_secret_opens_what_is_closed_without(dag, server):
    assert "401 Unauthorized" in await refused(dag.http(f"{server.url}/private").contents())
    header = dag.set_secret("header", "Bearer token")
    assert await dag.http(f"{server.url}/private", auth_header=header).contents() == CONTENT.decode()


async def test_a_server_that_does_not_answer_is_named(dag, server):
    server.shutdown()
    server.server_close()
    assert f'Get "{server.url}/gone"' in await refused(dag.http(f"{server.url}/gone").contents())


async def test_a_service_may_be_the_server(dag, server):
    ports = [dagger.PortForward(backend=server.server_port, frontend=8080)]
    service = dag.host().service(ports)
    url = f"http://{await service.hostname()}:8080/from-a-service"
    file = dag.http(url, experimental_service_host=service)
    assert await file.contents() == CONTENT.decode()
    assert server.asked[-1][1]["host"] == url.split("/")[2]
