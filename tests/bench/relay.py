"""A way to a registry that notes each request, and breaks connections when it is told to."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_CHUNK = 1 << 16
#: Headers that are of one connection and not of the message (RFC 9110, 7.6.1).
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade"})


class Asked(NamedTuple):
    """A request that came: `sent` is how many bytes of a body came with it."""

    method: str
    path: str
    sent: int


@dataclass
class Relay:
    """What came by; `cuts` are after how many bytes of a body the next connections that send one break."""

    host: str
    asked: list[Asked] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Callable[[], None]:
        # BaseHTTPRequestHandler looks for do_GET, do_PUT and so on: all are passed on alike.
        if name.startswith("do_"):
            return self._relay
        raise AttributeError(name)

    def _relay(self) -> None:
        left = int(self.headers.get("content-length", 0))
        cut = self.server.relay.cuts.pop(0) if left and self.server.relay.cuts else None
        upstream = http.client.HTTPConnection(self.server.registry)
        try:
            self._pass(upstream, left, cut)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            upstream.close()

    def _pass(self, upstream: http.client.HTTPConnection, left: int, cut: int | None) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP:
                upstream.putheader(name, value)
        upstream.endheaders()
        sent = 0
        while sent < left and (chunk := self.rfile.read(min(_CHUNK, left - sent))):
            if cut is not None and sent + len(chunk) >= cut:
                upstream.send(chunk[: cut - sent])
                self.server.relay.asked.append(Asked(self.command, self.path, cut))
                raise ConnectionResetError("cut, as told")
            upstream.send(chunk)
            sent += len(chunk)
        self.server.relay.asked.append(Asked(self.command, self.path, sent))
        answer = upstream.getresponse()
        data = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        """Nothing: what is asked is in a list."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, registry: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.registry = registry
        self.relay = Relay(f"localhost:{self.server_port}")


@contextmanager
def relay(registry: str) -> Iterator[Relay]:
    """A relay to the registry at "host:port", on a port of its own."""

    with _Server(registry) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.relay
        finally:
            server.shutdown()
            thread.join()
