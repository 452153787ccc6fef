"""Into a container that was started as joinable: sockets in its network, and commands beside its own.

For a socket a thread visits the network's namespace, and the socket stays behind.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import ConnectedUDPSocket, SocketStream

from ci.engine.sandbox.network import visit
from ci.engine.sandbox.spec import Spec

ATTACH = [sys.executable, "-I", "-S", str(Path(__file__).with_name("attach.py"))]
_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp


def _visit(namespace: str, make: Callable[[], socket.socket]) -> socket.socket:
    """A socket that ``make`` makes in a network namespace."""
    made: list[socket.socket] = []
    visit(namespace, lambda: made.append(make()))
    return made[0]


def _of(pid: int) -> str:
    return f"/proc/{pid}/ns/net"


def _connected(pid: int, host: str, port: int) -> socket.socket:
    def make() -> socket.socket:
        return socket.create_connection((host, port), timeout=10)

    return _visit(_of(pid), make)


def _listening(namespace: str, host: str, port: int, kind: int) -> socket.socket:
    def make() -> socket.socket:
        listener = socket.socket(socket.AF_INET, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            if kind == socket.SOCK_STREAM:
                listener.listen(128)
        except OSError:
            listener.close()
            raise
        return listener

    return _visit(namespace, make)


async def connect_inside(pid: int, host: str, port: int) -> SocketStream:
    """A TCP connection made from inside the network of ``pid``.

    Raises:
        OSError: nothing listens there, or the process is gone.
    """
    made = await anyio.to_thread.run_sync(_connected, pid, host, port)
    made.settimeout(0)
    return await SocketStream.from_socket(made)


def _addressed(pid: int, host: str, port: int) -> socket.socket:
    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.connect((host, port))
        return made

    return _visit(_of(pid), make)


async def datagrams_inside(pid: int, host: str, port: int) -> ConnectedUDPSocket:
    """A UDP socket inside the network of ``pid`` whose datagrams go to one address.

    Raises:
        OSError: the process is gone.
    """
    made = await anyio.to_thread.run_sync(_addressed, pid, host, port)
    made.settimeout(0)
    return await ConnectedUDPSocket.from_socket(made)


async def listen_inside(
    namespace: str, host: str, port: int, kind: int = socket.SOCK_STREAM
) -> socket.socket:
    """A socket that listens (TCP) or hears (UDP) inside a network, given by its file ("/proc/PID/ns/net").

    Raises:
        OSError: the address is taken, or the process is gone.
    """
    return await anyio.to_thread.run_sync(_listening, namespace, host, port, kind)


async def listens(pid: int, host: str, port: int) -> bool:
    """Whether something inside the network of ``pid`` accepts connections at an address."""
    try:
        stream = await connect_inside(pid, host, port)
    except OSError:
        return False
    await stream.aclose()
    return True


def open_ports(pid: int) -> frozenset[int]:
    """The TCP ports that are listened on at every address of the network of ``pid``; none when it is gone."""
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            return frozenset()
        for row in rows:
            _, local, _, state, *_ = row.split()
            address, _, port = local.partition(":")
            if state == _LISTENING and not address.strip("0"):
                found.add(int(port, 16))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command inside a container came to."""

    exit_code: int
    stdout: bytes
    stderr: bytes


async def run_inside(pid: int, spec: Spec, args: tuple[str, ...]) -> Ran:
    """Run a command beside the one of ``spec`` whose container's first process is ``pid``, as the same user.

    It has the container's variables and working directory, and nothing to read. Cancelling kills it.

    Raises:
        OSError: no process can be started.
    """
    task = json.dumps(attaching(pid, spec, args)).encode()
    done = await anyio.run_process(ATTACH, input=task, stderr=subprocess.PIPE, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def attaching(pid: int, spec: Spec, args: tuple[str, ...]) -> dict[str, Any]:
    """What to tell the program ``ATTACH`` for it to run a command beside that of ``spec``."""
    return {
        "pid": pid,
        "args": args,
        "env": dict(spec.env),
        "cwd": spec.cwd,
        "uid": spec.uid,
        "gid": spec.gid,
        "groups": list(spec.groups) if os.geteuid() == 0 and _may_set_groups() else None,
    }


def _may_set_groups() -> bool:
    try:
        return Path("/proc/self/setgroups").read_text(encoding="ascii").strip() == "allow"
    except OSError:
        return False
