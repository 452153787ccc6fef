"""``dagger session``: the engine as a process, for an SDK or another command that started it."""

import os
import sys
from pathlib import Path
from typing import NoReturn


def session(workdir: Path, progress: str) -> NoReturn:
    """Serve until stdin is closed or a signal comes, and exit; says on stdout where.

    Raises:
        EngineError: this host cannot run steps, or the state folder cannot be used.
    """
    from ci.engine import sandbox, state
    from ci.engine.connection import listen
    from ci.engine.errors import EngineError

    try:
        sandbox.enter()  # before anything may start a thread
    except sandbox.SandboxError as error:
        raise EngineError(str(error)) from error
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
    # All is closed by now; what is left is to take down what the interpreter has loaded, or is still loading.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(os.EX_OK)
