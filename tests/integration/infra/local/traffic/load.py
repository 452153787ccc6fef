"""Many requests over a few connections, and an instance that answers them quickly."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

REQUEST = b"GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n"


class _Quick(asyncio.Protocol):
    def __init__(self, answer):
        self.answer = answer

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(self.answer * data.count(b"\r\n\r\n"))


@asynccontextmanager
async def quick(name):
    """An instance in this loop that answers every request with its name; its port."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name.encode())
    server = await asyncio.get_running_loop().create_server(lambda: _Quick(answer), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Load:
    """So many requests over keep-alive connections, each with one request at a time.

    `failed` has what came back instead of 200.
    """

    def __init__(self, port, requests, connections):
        self.failed = []
        self._port = port
        self._left = requests
        self._bodies = Counter()
        self._done = 0
        self._wanted = 0
        self._reached = asyncio.Event()
        self._connections = connections
        self._group = asyncio.TaskGroup()

    async def __aenter__(self):
        await self._group.__aenter__()
        for _ in range(self._connections):
            self._group.create_task(self._client())
        return self

    async def __aexit__(self, *how):
        await self._group.__aexit__(*how)

    async def until(self, number):
        """Wait until so many requests were answered; the answers' bodies since the last time."""
        self._wanted = number
        while self._done < number:
            self._reached.clear()
            await self._reached.wait()
        bodies, self._bodies = self._bodies, Counter()
        return bodies

    async def _client(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while self._left > 0:
            self._left -= 1
            writer.write(REQUEST)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
            except (OSError, EOFError, ValueError) as error:
                self._answered(repr(error), ok=False)
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            else:
                self._answered(body.decode(), ok=head.startswith(b"HTTP/1.1 200 "))
        writer.close()

    def _answered(self, body, *, ok):
        self._done += 1
        self._bodies[body] += 1
        if not ok:
            self.failed.append(body)
        if self._done >= self._wanted:
            self._reached.set()
