"""Requests that mean one thing to one server and another to the next are refused, and reach nobody."""

import socket

import pytest

HEAD = b"POST /print HTTP/1.1\r\nHost: web.localhost\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: web.localhost\r\n\r\n"

CASES = {
    "length and chunks": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + HIDDEN,
    "two equal lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a list of lengths": HEAD + b"Content-Length: 0, 0\r\n\r\n" + HIDDEN,
    "a signed length": HEAD + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a length in hex": HEAD + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "an endless length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a space before the colon": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding before chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding after chunked": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks in HTTP/1.0": HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded line": HEAD + b"X-A: 1\r\n Content-Length: 5\r\n\r\n",
    "a bare LF": HEAD + b"X-A: 1\nContent-Length: 5\r\n\r\nhello",
    "bare LFs only": b"GET / HTTP/1.1\nHost: web.localhost\n\n",
    "a bare CR": HEAD + b"X-A: 1\rContent-Length: 5\r\n\r\n",
    "a NUL": HEAD + b"X-A: a\x00b\r\n\r\n",
    "a name with a bracket": HEAD + b"X(A: 1\r\n\r\n",
    "a name of nothing": HEAD + b": 1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: web.localhost\r\nHost: other.localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a host and another target": b"GET http://other.localhost/ HTTP/1.1\r\nHost: web.localhost\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: web.localhost/x\r\n\r\n",
    "a target without a slash": b"GET x HTTP/1.1\r\nHost: web.localhost\r\n\r\n",
    "CONNECT": b"CONNECT web.localhost:80 HTTP/1.1\r\nHost: web.localhost\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: web.localhost\r\n\r\n",
    "a bare LF in a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
    "a head without end": HEAD + b"X-A: " + b"a" * 100_000,
    "too many fields": HEAD + b"X-A: 1\r\n" * 1000 + b"\r\n",
    "a body that is too large": HEAD + b"Content-Length: 33554433\r\n\r\n",
}


@pytest.fixture(scope="module")
def served(image, tmp_path_factory):
    from tests.integration.infra.local.runtime.staged import Staged

    stage = Staged(tmp_path_factory.mktemp("smuggling"), image)
    stage.deploy()
    yield stage
    stage.close()


@pytest.mark.parametrize("sent", CASES.values(), ids=CASES.keys())
def test_a_request_that_can_be_read_in_two_ways_is_refused(served, sent):
    with socket.create_connection(("127.0.0.1", served.port), 5) as client, client.makefile("rb") as answers:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        try:
            answer = answers.read()
        except ConnectionResetError:
            answer = b""
    # An offence in a body comes when its head has been passed on: the connection is broken off.
    status = answer.split(b" ", 2)[1] if answer else b"cut"
    assert status in {b"400", b"405", b"413", b"431", b"505", b"cut"}
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert served.get().status == 200
    assert not any(
        "/hidden" in (payload or {}).get("httpRequest", {}).get("requestUrl", "")
        for *_, payload, _ in served.tell("entries")
    )


def test_a_field_of_a_client_does_not_become_two_for_the_instance(served):
    lines = served.get("/raw", headers={"X-A": "one%0d%0aX-B: two"}).body
    assert b"\r\nx-b:" not in lines.lower()
