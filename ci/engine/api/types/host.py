"""``Host``: the machine that the client runs on."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import selection, works
from ci.engine.errors import EngineError
from ci.engine.graph import hostfiles
from ci.engine.graph.container import Port
from ci.engine.graph.files import Directory, File, Fixed
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.service import Service
from ci.engine.graph.socket import Socket


@dataclass(frozen=True)
class Host(Digested):
    """The client's machine."""


@serves("Query")
def host(_call: Call, _parent: object) -> Host:
    """The client's machine."""
    return Host()


def _path(call: Call, path: str) -> Path:
    return Path(os.path.normpath(call.session.workdir / Path(path).expanduser()))


@serves("Host")
async def directory(
    call: Call,
    _parent: Host,
    *,
    path: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    no_cache: bool = False,
    gitignore: bool = False,
) -> Directory:
    """A directory, read once a session unless ``noCache`` says otherwise."""
    root = _path(call, path)
    parts = works(call)
    chosen = selection(include, exclude)

    async def read() -> Directory:
        if not root.is_dir():
            reason = "is not a directory" if root.exists() else "no such file or directory"
            raise EngineError(f"host directory {root}: {reason}")
        snapshot = await parts.evaluator.in_thread(
            lambda: hostfiles.import_directory(
                parts.store, root, chosen, gitignore=gitignore, now=time.time_ns()
            )
        )
        return Directory(Fixed(snapshot))

    if no_cache:
        return await read()
    return await parts.evaluator.once.get(("host", str(root), chosen, gitignore), read)


@serves("Host")
async def file(call: Call, _parent: Host, *, path: str, no_cache: bool = False) -> File:
    """A file, read once a session unless ``noCache`` says otherwise."""
    target = _path(call, path)
    parts = works(call)

    async def read() -> File:
        snapshot = await parts.evaluator.in_thread(hostfiles.import_file, parts.store, target)
        return File(Fixed(snapshot), "/" + target.name)

    if no_cache:
        return await read()
    return await parts.evaluator.once.get(("hostfile", str(target)), read)


@serves("Host")
def find_up(call: Call, _parent: Host, *, name: str, no_cache: bool = False) -> str | None:
    """The path of the nearest file of a name, in the working directory or above."""
    del no_cache
    for folder in (call.session.workdir, *call.session.workdir.parents):
        if (folder / name).exists():
            return os.path.relpath(folder / name, call.session.workdir)
    return None


@serves("Host")
def unix_socket(call: Call, _parent: Host, *, path: str) -> Socket:
    """A Unix socket."""
    return Socket(str(_path(call, path)))


@serves("Host")
def service(_call: Call, _parent: Host, *, ports: list[dict[str, Any]], host: str = "localhost") -> Service:
    """A service that leads to ports of the host."""
    if not ports:
        raise EngineError("no ports specified: name the host's ports that the service leads to")
    forwards = tuple(
        (p.get("frontend") or p["backend"], p["backend"], p.get("protocol") or "TCP") for p in ports
    )
    exposed = tuple(Port(front, protocol) for front, _, protocol in forwards)
    return Service(None, None, exposed, upstream=host, forwards=forwards)


@serves("Host")
def tunnel(
    _call: Call,
    _parent: Host,
    *,
    service: Service,
    native: bool = False,
    ports: list[dict[str, Any]] | None = None,
) -> Service:
    """A way from the host to a service's ports: at the same numbers (``native``), or at others."""
    wanted = [(p.get("frontend") or 0, p["backend"], p.get("protocol") or "TCP") for p in ports or ()]
    if native:
        wanted += [(p.port, p.port, p.protocol) for p in service.ports]
    if not wanted:
        wanted = [(0, p.port, p.protocol) for p in service.ports]
    if not wanted:
        raise EngineError("no ports to forward: the service exposes none, and none were given")
    return Service(None, None, (), tunnelled=service, forwards=tuple(wanted))
