"""Serves an ASGI application on a socket that is already listening: uvicorn's protocol, without its process.

uvicorn's own server looks for a reason to stop ten times a second, waits as long again for connections to
close, and handles the process's signals; a session starts and stops many times a day, and does so at once.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ci.engine.http import App

KEEP_ALIVE = 24 * 3600  # seconds: a pooled connection must not close just as its client uses it again


@asynccontextmanager
async def serving(app: App, listener: socket.socket) -> AsyncIterator[None]:
    """Serve while the block lasts; then end the requests in flight and close all connections."""
    config = Config(
        app,
        http=H11Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: H11Protocol(config, state, {}, loop), sock=listener)
    try:
        yield
    finally:
        server.close()
        await app.close()
        for connection in tuple(state.connections):
            connection.shutdown()
