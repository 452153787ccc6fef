"""``dagger session``: the engine as a process, for an SDK or another command that started it."""

import os
import sys
from pathlib import Path


def session(workdir: Path, progress: str) -> int:
    """Serve until stdin is closed or a signal comes; says on stdout where. Returns the exit code."""
    from ci.engine import state
    from ci.engine.connection import listen
    from ci.engine.sandbox.host import enter

    enter()  # before anything may start a thread
    folder = state.folder()
    listener, connection = listen()
    print(connection.line(), flush=True)

    # From here on the client is on its way, and waits in the socket's queue while the rest is loaded.
    import anyio

    from ci.engine.events import Events
    from ci.engine.progress import shown
    from ci.engine.session import Session, serve

    events = Events()
    with shown(events, progress, sys.stderr):
        anyio.run(serve, Session(folder, workdir, events), listener, connection)
    return os.EX_OK
