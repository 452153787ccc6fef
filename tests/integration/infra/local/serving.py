"""A local cloud in a thread of its own, for clients that block."""

import asyncio
import contextlib
import socket
import threading

import uvicorn

from infra.local.cloud import Cloud


class Server(uvicorn.Server):
    """Ends as soon as `end` is called in its loop, where uvicorn looks ten times a second, and then waits."""

    def __init__(self, app):
        super().__init__(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self._told = asyncio.Event()

    def end(self):
        self._told.set()

    async def main_loop(self):
        await self.on_tick(0)
        await self._told.wait()

    async def shutdown(self, **_sockets):
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        await asyncio.sleep(0)  # in which they are closed


class Served:
    """`url` is where the cloud answers; `call(f)` runs a function in its event loop."""

    def __init__(self, url, cloud, loop):
        self.url = url
        self.cloud = cloud
        self._loop = loop

    def call(self, function, *args):
        async def run():
            return function(*args)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)


def listen():
    # Without its protocol said, asyncio does not know that this is TCP, and leaves Nagle's algorithm on.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@contextlib.contextmanager
def serving(state, fleet, front, log=lambda _entry: None, **options):
    listener = listen()
    port = listener.getsockname()[1]
    ready, box = threading.Event(), {}

    async def main():
        cloud = box["cloud"] = Cloud(state, fleet, front, log, **options)
        box["loop"] = asyncio.get_running_loop()
        server = box["server"] = Server(cloud)
        async with cloud.working():
            ready.set()
            await server.serve(sockets=[listener])

    def run():
        try:
            asyncio.run(main())
        except BaseException as error:
            box["error"] = error
            ready.set()
            raise

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(30)
    if "error" in box:
        raise box["error"]
    try:
        yield Served(f"http://127.0.0.1:{port}", box["cloud"], box["loop"])
    finally:
        box["loop"].call_soon_threadsafe(box["server"].end)
        thread.join(10)
        listener.close()
