"""``dagger session``: the engine as a process, for an SDK or another command that started it."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ci.engine.commands.caller import Caller

if TYPE_CHECKING:
    import socket

    from ci.engine.connection import Connection


def session(workdir: Path, progress: str, caller: Caller | None = None) -> NoReturn:
    """Serve until stdin is closed or a signal comes, and exit; says on stdout where.

    ``caller`` is the command that started it, None if that was a client library.

    Raises:
        EngineError: this host cannot run steps, or the state folder cannot be used.
    """
    from ci.engine import state
    from ci.engine.connection import listen
    from ci.engine.errors import EngineError
    from ci.engine.sandbox.errors import SandboxError
    from ci.engine.sandbox.host import enter

    try:
        enter()  # before anything may start a thread
    except SandboxError as error:
        raise EngineError(str(error)) from error
    folder = state.folder()
    listener, connection = listen()
    print(connection.line(), flush=True)

    # From here on the client is on its way, and waits in the socket's queue while the rest is loaded.
    caller = replace(caller or Caller.of_a_client(), silent=progress == "quiet")
    _serve(folder, workdir, progress, caller, (listener, connection))
    # All is closed by now; what is left is to take down what the interpreter has loaded, or is still loading.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(os.EX_OK)


def _serve(
    folder: Path, workdir: Path, progress: str, caller: Caller, where: "tuple[socket.socket, Connection]"
) -> None:
    """Serve, with whatever shows what happens around it."""
    import anyio

    from ci.engine.events import Events
    from ci.engine.progress import Ending, shown
    from ci.engine.session import Session, serve
    from ci.engine.telemetry.endpoints import Endpoints
    from ci.engine.telemetry.exporting import exported

    if caller.terminal is not None:
        os.set_inheritable(caller.terminal, False)  # noqa: FBT003  # steps have no business with it
    events, ending = Events(caller.inside), Ending(caller.command)
    command = caller.span_of_command()
    with (
        exported(events, Endpoints.of(os.environ), command, sys.stderr.write),
        shown(events, progress, sys.stderr, ending=ending, outputs=caller.outputs, brief=caller.brief),
    ):
        ending.exit_code = anyio.run(serve, Session(folder, workdir, events, caller), *where)
        if command is not None:
            command.exit_code = ending.exit_code
