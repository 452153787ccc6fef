"""``Host``: the machine that the client runs on."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

import os
import posixpath
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import selection, works
from ci.engine.api.types.container.image import from_host
from ci.engine.api.types.paths import on_host
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container, Port
from ci.engine.graph.files import Directory, File, Fixed
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.host import hostfiles
from ci.engine.graph.host.hostfiles import Reading, entering
from ci.engine.graph.host.socket import Socket
from ci.engine.graph.serving.service import Service
from ci.engine.platform import host_platform
from ci.engine.store.gitignore import Ignores
from ci.engine.store.tree import EMPTY, Snapshot


@dataclass(frozen=True)
class Host(Digested):
    """The client's machine."""


@serves("Query", field="host")
def the_host(_call: Call, _parent: object) -> Host:
    """The client's machine."""
    return Host()


def _local(pattern: str) -> str | None:
    """A pattern lexically cleaned, or None when it leads out of the directory it is for."""
    cleaned = posixpath.normpath(pattern) if pattern else ""
    return None if not cleaned or cleaned.startswith(("/", "../")) or cleaned == ".." else cleaned


def _below(above: str, patterns: list[str] | None) -> list[str]:
    """Patterns for a directory as patterns for the one that ``above`` is the way from; "." is itself."""
    moved = []
    for pattern in patterns or ():
        local = _local(pattern.removeprefix("!"))
        if local is not None:
            joined = posixpath.normpath(posixpath.join(above, local))
            moved.append(("!" if pattern.startswith("!") else "") + ("*" if joined == "." else joined))
    return moved


def _git_root(folder: Path) -> Path:
    """The nearest directory, ``folder`` or above, that has a .git; ``folder`` when there is none."""
    return next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), folder)


def _reading(root: Path, include: list[str] | None, exclude: list[str] | None, *, gitignore: bool) -> Reading:
    """What to read of a directory. Blocking: it reads the .gitignore files that are above it."""
    if not gitignore:
        return Reading(root, selection(_below(".", include), _below(".", exclude)))
    top = _git_root(root)
    above = root.relative_to(top).parts
    way = "/".join(above) or "."
    whole = ["!*", way] if above else []
    ignores = Ignores()
    for depth in range(len(above)):
        ignores = entering(ignores, str(top.joinpath(*above[:depth])), depth)
    chosen = selection(whole + _below(way, include), _below(way, exclude))
    return Reading(root, chosen, above, entering(ignores, str(root), len(above)))


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
    root = on_host(call, path)
    parts = works(call)

    def imported() -> Snapshot:
        if not root.is_dir():
            if root.exists():
                raise EngineError(f"stat {root}: not a directory")
            raise EngineError(f"lstat {root}: no such file or directory")
        reading = _reading(root, include, exclude, gitignore=gitignore)
        snapshot = hostfiles.import_directory(parts.store, reading, now=time.time_ns())
        ignored = reading.ignores is not None and reading.ignores.ignored(reading.above, is_directory=True)
        if ignored and snapshot.tree == EMPTY:
            raise EngineError(f"lstat {root}: no such file or directory")
        return snapshot

    async def read() -> Directory:
        return Directory(Fixed(await parts.evaluator.in_thread(imported)))

    if no_cache:
        return await read()
    key = ("host", str(root), tuple(include or ()), tuple(exclude or ()), gitignore)
    return await parts.evaluator.once.get(key, read)


@serves("Host")
async def file(call: Call, _parent: Host, *, path: str, no_cache: bool = False) -> File:
    """A file, read once a session unless ``noCache`` says otherwise."""
    target = on_host(call, path)
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
        if os.path.lexists(folder / name):
            return os.path.relpath(folder / name, call.session.workdir)
    return None


@serves("Host")
def unix_socket(call: Call, _parent: Host, *, path: str) -> Socket:
    """A Unix socket."""
    return Socket(str(on_host(call, path)))


@serves("Host", field="service")
def service_of_the_host(
    _call: Call, _parent: Host, *, ports: list[dict[str, Any]], host: str = "localhost"
) -> Service:
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


@serves("Host")
async def container_image(call: Call, _parent: Host, *, name: str) -> Container:
    """An image of the host's container runtime."""
    return await from_host(call, Container(host_platform()), name)
