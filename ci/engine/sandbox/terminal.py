"""A command in a container on a terminal: one of the container's own, which the user's is connected to.

As a real terminal does, it controls the command: Ctrl-C and the like reach the command and its children, and
the command alone. So it is not bwrap's child but attached beside it.
"""

import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import termios
import tty
from collections.abc import Iterator
from dataclasses import replace

import anyio
import anyio.to_thread

from ci.engine.sandbox.berth import Berth
from ci.engine.sandbox.errors import SandboxError
from ci.engine.sandbox.filter.choice import chosen
from ci.engine.sandbox.inside import ATTACH, attaching
from ci.engine.sandbox.process import start
from ci.engine.sandbox.spec import Spec

CHUNK = 65536
_RESIZED = 0.25  # seconds between looks at the user's window: the signal for it goes to other processes


class _Left(Exception):
    """The command on the terminal has ended; the container's own is never to start."""


async def terminal(spec: Spec, user: int, berth: Berth | None = None) -> int:
    """Run the command of ``spec`` in a container, on a terminal that ``user``'s is connected to.

    Returns its exit code. ``user`` is the descriptor of a terminal; the container is started from ``berth``.

    Raises:
        SandboxError: the container can't be set up, or there is no terminal to be had in it.
    """
    code = 0

    async def attach(pid: int) -> None:
        nonlocal code
        code = await terminal_inside(pid, spec, spec.args, user)
        raise _Left

    try:
        async with start(replace(spec, stdin=None), _unheard, _unheard, attach, berth):
            pass
    except _Left:
        pass
    return code


async def terminal_inside(pid: int, spec: Spec, args: tuple[str, ...], user: int) -> int:
    """Run a command beside the one of ``spec`` whose container's first process is ``pid``, on a terminal.

    Returns its exit code. Cancelling hangs the terminal up.

    Raises:
        SandboxError: there is no terminal to be had in the container, or no such command.
    """
    ours, theirs = socket.socketpair()
    task = attaching(pid, spec, args) | {"filter": chosen(spec).hex(), "terminal": theirs.fileno()}
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(ours.close)
        with theirs:
            process = await stack.enter_async_context(
                await anyio.open_process(
                    ATTACH, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()]
                )
            )
        assert process.stdin is not None  # noqa: S101  # asked for with PIPE
        assert process.stderr is not None  # noqa: S101
        await process.stdin.send(json.dumps(task).encode())
        await process.stdin.aclose()
        _, found, _, _ = await anyio.to_thread.run_sync(socket.recv_fds, ours, 1, 1)
        if not found:
            said = b"".join([chunk async for chunk in process.stderr]).decode(errors="replace").strip()
            raise SandboxError(f"sandbox: no terminal can be opened in the container: {said}")
        over, told = os.pipe()
        stack.callback(os.close, over)
        stack.callback(os.close, told)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, _connect, user, found[0], over)
            try:
                await process.wait()
            finally:
                os.write(told, b".")
        code = process.returncode
        return code if code is not None and code >= 0 else 128 - (code or 0)
    raise AssertionError  # nothing that is entered above suppresses exceptions


def _connect(user: int, screen: int, over: int) -> None:
    """Pass on what is typed, what is shown and the window's size, until something comes from ``over``.

    Then, or when the user's terminal has gone, hang up.
    """
    size = b""
    with os.fdopen(screen, closefd=True), _raw(user):
        while True:
            if (now := _size(user)) != size:
                size = now
                fcntl.ioctl(screen, termios.TIOCSWINSZ, size)
            ready, _, _ = select.select([user, screen, over], [], [], _RESIZED)
            if screen in ready and not _pass_on(screen, user):
                return
            if user in ready and not _pass_on(user, screen):
                return
            if over in ready and screen not in ready:  # all that was shown has been passed on
                return


def _pass_on(source: int, target: int) -> bool:
    """Copy what there is; False when there is nothing any more."""
    try:
        data = os.read(source, CHUNK)
    except OSError:  # EIO: nobody has the other side any more
        return False
    while data:
        written = os.write(target, data)
        if written == len(data):
            return True
        data = data[written:]
    return False


@contextlib.contextmanager
def _raw(user: int) -> Iterator[None]:
    """Leave every key and every sign on the user's terminal to the other one."""
    before = termios.tcgetattr(user)
    tty.setraw(user)
    try:
        yield
    finally:
        termios.tcsetattr(user, termios.TCSADRAIN, before)


def _size(user: int) -> bytes:
    return fcntl.ioctl(user, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))


def _unheard(_data: bytes) -> None:
    """Nothing comes: the container's own command does not start."""
