"""The server in the tests' image: one thread a connection, and a page for everything a test wants to see."""

import base64
import hashlib
import json
import os
import signal
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HOARD = []
STATE = {"ill_until": 0.0, "asked": 0}
PAGES = {}


class Call:
    """One request, and ways to answer it."""

    def __init__(self, connection, stream, line, fields):
        self.connection = connection
        self.stream = stream
        self.method, target, _ = line.decode("latin-1").split(" ")
        self.path, _, self.query = target.partition("?")
        self.raw = b"".join([line, *fields])
        pairs = (field.decode("latin-1").partition(":") for field in fields)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

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

    def respond(self, body, status="200 OK"):
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        self.connection.sendall(head.encode() + (b"" if self.method == "HEAD" else body))

    def respond_chunks(self, pieces):
        self.connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            self.connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.connection.sendall(b"0\r\n\r\n")

    def break_off(self, said):
        self.connection.sendall(said)
        self.connection.shutdown(socket.SHUT_RDWR)


def page(path):
    def keep(function):
        PAGES[path] = function
        return function

    return keep


@page("/echo")
def echo(call):
    call.respond_chunks(call.pieces())


@page("/size")
def size(call):
    call.respond(str(sum(map(len, call.pieces()))).encode())


@page("/env")
def env(call):
    call.respond(json.dumps(dict(os.environ)).encode())


@page("/who")
def who(call):
    call.respond(json.dumps({"uid": os.getuid(), "gid": os.getgid(), "cwd": os.getcwd()}).encode())


@page("/file")
def file(call):
    with open(call.query, "rb") as opened:
        call.respond(opened.read())


@page("/write")
def write(call):
    with open("/left-behind", "ab") as opened:
        opened.write(b"x")
    call.respond(str(os.path.getsize("/left-behind")).encode())


@page("/sleep")
def sleep(call):
    time.sleep(float(call.query))
    call.respond(b"slept\n")


@page("/exit")
def leave(call):
    os._exit(int(call.query))


@page("/signal")
def end_by_signal(call):
    os.kill(os.getpid(), int(call.query))


@page("/eat")
def eat(call):
    HOARD.append(b"x" * (int(call.query) << 20))
    call.respond(b"ate\n")


@page("/print")
def say(call):
    print(b"".join(call.pieces()).decode(), flush=True)
    call.respond(b"printed\n")


@page("/metadata")
def metadata(call):
    flavor = "" if "x-plain" in call.headers else "Metadata-Flavor: Google\r\n"
    flavor += "X-Forwarded-For: 10.0.0.1\r\n" if "x-proxied" in call.headers else ""
    with socket.create_connection(("metadata.google.internal", 80), 5) as asked:
        asked.sendall(f"GET {call.query} HTTP/1.1\r\nHost: m\r\n{flavor}Connection: close\r\n\r\n".encode())
        head, _, body = asked.makefile("rb").read().partition(b"\r\n\r\n")
    answer = {"status": int(head.split()[1]), "head": head.decode(), "body": body.decode()}
    call.respond(json.dumps(answer).encode())


@page("/ask")
def ask(call):
    """Get a page from elsewhere, or say why that can't be done."""
    url = urlsplit(call.query)
    try:
        with socket.create_connection((url.hostname, url.port or 80), 5) as asked:
            lines = [f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}", "Connection: close", "", ""]
            asked.sendall("\r\n".join(lines).encode())
            call.respond(asked.makefile("rb").read().partition(b"\r\n\r\n")[2])
    except OSError as error:
        call.respond(str(error).encode(), "502 Bad Gateway")


@page("/address")
def address(call):
    call.respond(call.connection.getsockname()[0].encode())


@page("/resolve")
def resolve(call):
    try:
        call.respond(socket.gethostbyname(call.query).encode())
    except OSError as error:
        call.respond(str(error).encode(), "502 Bad Gateway")


@page("/fill")
def fill(call):
    """Write a file of so many MiB at a path."""
    path, _, size = call.query.partition(",")
    try:
        with open(path, "wb") as opened:
            for _ in range(int(size)):
                opened.write(b"x" * (1 << 20))
    except OSError as error:
        os.unlink(path)
        call.respond(str(error).encode(), "507 Insufficient Storage")
    else:
        call.respond(b"filled\n")


@page("/ill")
def fall_ill(call):
    """Be ill, for some seconds where they are given."""
    STATE["ill_until"] = time.monotonic() + float(call.query or 3600)
    call.respond(b"ill\n")


@page("/health")
@page("/healthz")
@page("/readyz")
def health(call):
    STATE["asked"] += 1
    call.respond(b"", "503 Ill" if time.monotonic() < STATE["ill_until"] else "200 OK")


@page("/asked")
def asked(call):
    call.respond(str(STATE["asked"]).encode())


@page("/ws")
def websocket(call):
    key = call.headers["sec-websocket-key"] + GUID
    accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
    call.connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
    )
    while data := call.stream.read1(65536):
        call.connection.sendall(data)


PAGES |= {
    "/": lambda call: call.respond(b"hello\n"),
    "/raw": lambda call: call.respond(call.raw),
    "/cut": lambda call: call.break_off(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    "/nonsense": lambda call: call.break_off(b"what?\r\n\r\n"),
    "/until-close": lambda call: call.break_off(b"HTTP/1.0 200 OK\r\n\r\nall of it"),
}


def serve(connection):
    stream = connection.makefile("rb")
    with connection:
        while line := stream.readline():
            fields = []
            while (field := stream.readline()) not in {b"\r\n", b""}:
                fields.append(field)
            call = Call(connection, stream, line, fields)
            PAGES.get(call.path, lambda unknown: unknown.respond(b"no\n", "404 Not Found"))(call)


def behave(mode):
    """Do what the image of that name does before it listens, if it ever does."""
    if mode == "exit":
        print("cannot go on", file=sys.stderr, flush=True)
        sys.exit(7)
    if mode == "task":
        print("task", os.environ["CLOUD_RUN_TASK_INDEX"], flush=True)
        sys.exit(int(os.environ["CODE"]))
    if mode == "tell-environment":
        print("environment", json.dumps(dict(os.environ)), flush=True)
        sys.exit(0)
    if mode == "silent":
        signal.pause()
    if mode == "hungry":
        HOARD.append(b"x" * (400 << 20))
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "polite":
        signal.signal(signal.SIGTERM, lambda *_: (print("leaving", flush=True), os._exit(0)))


def main():
    mode = os.environ.get("MODE", "")
    behave(mode)
    time.sleep(float(os.environ.get("START_DELAY", "0")))
    port = int(os.environ["PORT"]) + (mode == "wrong-port")
    STATE["ill_until"] = time.monotonic() + float(os.environ.get("ILL_FOR", "0"))
    listener = socket.create_server(("127.0.0.1" if mode == "localhost" else "", port), backlog=512)
    if after := os.environ.get("CRASH_AFTER"):
        threading.Timer(float(after), os._exit, (9,)).start()
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


main()
