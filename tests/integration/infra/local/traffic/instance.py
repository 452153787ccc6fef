"""An instance for the proxy's tests: a server on a real socket that does what a test writes for it."""

import re
import socket
import threading
from contextlib import suppress


class Call:
    """One request, as it came, and the connection to answer it on."""

    def __init__(self, connection, stream, head):
        self.connection = connection
        self.stream = stream
        self.head = head
        line, _, rest = head.partition(b"\r\n")
        self.method, target, _ = line.decode().split(" ")
        self.path, _, self.query = target.partition("?")
        self.fields = [
            tuple(part.strip() for part in field.decode("latin-1").split(":", 1))
            for field in rest.split(b"\r\n")
            if field
        ]
        self.headers = {name.lower(): value for name, value in self.fields}

    def pieces(self):
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.stream.readline(), 16):
                yield self.stream.read(size)
                self.stream.readline()
            self.stream.readline()
            return
        left = int(self.headers.get("content-length", 0))
        while left and (chunk := self.stream.read1(min(left, 65536))):
            left -= len(chunk)
            yield chunk

    def send(self, data):
        self.connection.sendall(data)

    def respond(self, body=b"", status="200 OK", *fields):
        head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
        self.send("\r\n".join(head).encode() + (b"" if self.method == "HEAD" else body))

    def chunks(self, pieces):
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            self.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.send(b"0\r\n\r\n")

    def hang_up(self):
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def ended(self, within=5):
        """Whether the other side hangs up, in so many seconds."""
        self.connection.settimeout(within)
        try:
            return not self.stream.read1(1)
        except ConnectionError:
            return True
        except TimeoutError:
            return False


PAGES = {
    "/": lambda call: call.respond(b"hello\n"),
    "/head": lambda call: call.respond(call.head),
    "/size": lambda call: call.respond(str(sum(map(len, call.pieces()))).encode()),
    "/echo": lambda call: call.chunks(call.pieces()),
    "/cut": lambda call: (call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), call.hang_up()),
    "/until-close": lambda call: (call.send(b"HTTP/1.0 200 OK\r\n\r\nall of it"), call.hang_up()),
    "/nonsense": lambda call: (call.send(b"what?\r\n\r\n"), call.hang_up()),
    "/silence": lambda call: call.ended(60),
}


class Instance:
    """Serves PAGES and those that a test adds; `heads` has all heads that came, `connections` counts."""

    def __init__(self, name, pages=()):
        self.name = name
        self.pages = {**PAGES, **dict(pages)}
        self.heads = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._open = set()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def page(self, path):
        def keep(function):
            self.pages[path] = function
            return function

        return keep

    def die(self):
        """As a process does: nobody listens any more, and connections break off."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream, suppress(OSError, ValueError):
            while head := _head(stream):
                self.heads.append(head)
                call = Call(connection, stream, head)
                page = self.pages.get(call.path, lambda unknown: unknown.respond(b"no\n", "404 Not Found"))
                page(call)
        self._open.discard(connection)


def _head(stream):
    lines = []
    while (line := stream.readline()) not in {b"\r\n", b""}:
        lines.append(line)
    return re.sub(rb"\r\n$", b"", b"".join(lines))
