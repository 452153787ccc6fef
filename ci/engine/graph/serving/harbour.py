"""Where a session's processes are started: each in a network of its own, where there is one, and limited."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from ci.engine import sandbox
from ci.engine.errors import EngineError
from ci.engine.graph.serving import datagrams
from ci.engine.graph.serving.forward import Forwarder
from ci.engine.sandbox.limits import limits

#: The variable by which steps are put on this host's own network: "host".
CHOICE = "SHIPWAY_NETWORK"
RESOLVER = Path("/etc/resolv.conf")
#: What systemd-resolved asks, where the other file names itself.
_RESOLVED = Path("/run/systemd/resolve/resolv.conf")
_DNS = 53
_HERE = "127.0.0.1"


class Harbour:
    """The berths of one session."""

    def __init__(self, tasks: TaskGroup) -> None:
        """Find out what the host allows.

        Raises:
            EngineError: a limit in the environment makes no sense.
        """
        self._tasks = tasks
        self._asked = anyio.Lock()
        self._network: sandbox.Network | None = None
        self._denied = ""
        self._told = False
        self._shared = os.environ.get(CHOICE, "") == "host"
        self._plain = sandbox.Berths(lambda confined: sandbox.Berth(confined, _group()))
        self._placed = sandbox.Berths(self._place)
        #: What /etc/resolv.conf is to say in a network of its own; None: what the host's says.
        self.resolver: str | None = None
        try:
            self._limits = limits()
        except sandbox.SandboxError as error:
            raise EngineError(str(error)) from error

    @property
    def made(self) -> sandbox.Network | None:
        """The network, if it has been needed yet."""
        return self._network

    @property
    def apart(self) -> bool:
        """Whether steps are in networks of their own, once one has been asked for."""
        return self._network is not None and bool(self._network.way_out) and not self._shared

    async def network(self) -> sandbox.Network | None:
        """The network between the session's containers; None where the kernel has none for us."""
        if self._network is not None:
            return self._network
        # Whoever asks first may go away: what has been made by then is the session's all the same.
        async with self._asked:
            if self.made is None and not self._denied:
                with anyio.CancelScope(shield=True):
                    try:
                        self._network = await self._made()
                    except OSError as error:
                        self._denied = error.strerror or str(error)
        return self._network

    async def _made(self) -> sandbox.Network:
        network = await anyio.to_thread.run_sync(sandbox.Network)
        try:
            await self._resolve(network)
        except BaseException:
            await anyio.to_thread.run_sync(network.close)
            raise
        return network

    def notice(self) -> str:
        """What is to be told once of where steps are, if that is not where they should be."""
        reason = self._denied or (self._network.reason if self._network is not None else "")
        if not reason or self._told or self._shared:
            return ""
        self._told = True
        return (
            "steps are on this host's own network, services on loopback addresses of it: there is no network "
            f"for each of them ({reason}); as root there is, or with slirp4netns or a recent pasta installed"
        )

    @contextlib.asynccontextmanager
    async def step(self, *, privileged: bool) -> AsyncIterator[sandbox.Berth]:
        """A berth for a step: in a network of its own if that leads out, else on the host's."""
        await self.network()
        berths = self._placed if self.apart else self._plain
        async with berths.one(self._limits, confined=not privileged) as berth:
            yield berth

    @contextlib.asynccontextmanager
    async def service(self, *, privileged: bool) -> AsyncIterator[sandbox.Berth]:
        """A berth for a service: in a network of its own, if there are any, whether that leads out or not."""
        berths = self._placed if await self.network() is not None else self._plain
        async with berths.one(self._limits, confined=not privileged) as berth:
            yield berth

    @contextlib.asynccontextmanager
    async def reaching(self, berth: sandbox.Berth, ports: Iterable[int]) -> AsyncIterator[None]:
        """Let a container reach ports of this host's loopback at its own, while the context lasts."""
        wanted = tuple(ports)
        if not berth.namespace or not wanted:
            yield
            return
        async with anyio.create_task_group() as group:
            forwarder = Forwarder(group)
            for port in wanted:
                await forwarder.into(berth.namespace, _HERE, port, _HERE, port)
            yield
            group.cancel_scope.cancel()

    async def close(self) -> None:
        """Give everything up; nothing may run any more."""
        await anyio.to_thread.run_sync(self._close)

    def _close(self) -> None:
        self._plain.close()
        self._placed.close()
        if self._network is not None:
            self._network.close()

    def _place(self, confined: bool) -> sandbox.Berth:
        assert self._network is not None  # noqa: S101  there is a place for nobody without one
        address, namespace = self._network.place()
        return sandbox.Berth(confined, _group(), namespace, address)

    async def _resolve(self, network: sandbox.Network) -> None:
        """Have names be resolved in networks from where the host's own name server is not seen."""
        lines = _lines(RESOLVER)
        local = [server for server in _servers(lines) if ipaddress.ip_address(server).is_loopback]
        if not local or not network.way_out:
            return
        asked = _lines(_RESOLVED)
        if _servers(asked):
            self.resolver = "\n".join(asked) + "\n"
            return
        kept = [line for line in lines if not line.startswith("nameserver")]
        self.resolver = "\n".join([f"nameserver {sandbox.GATEWAY}", *kept]) + "\n"
        namespace = network.hub.namespace
        await Forwarder(self._tasks).into(namespace, sandbox.GATEWAY, _DNS, local[0], _DNS)
        listener = await sandbox.listen_inside(namespace, sandbox.GATEWAY, _DNS, socket.SOCK_DGRAM)
        self._tasks.start_soon(
            datagrams.carry, listener, lambda: anyio.create_connected_udp_socket(local[0], _DNS)
        )


def _group() -> sandbox.Group | None:
    """A control group, if there are any for us."""
    groups = sandbox.Groups.found()
    with contextlib.suppress(OSError):
        return groups.make() if groups is not None else None
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _servers(lines: list[str]) -> list[str]:
    """The name servers of a resolv.conf(5)."""
    words = [line.split() for line in lines]
    found = [row[1].partition("%")[0] for row in words if len(row) > 1 and row[0] == "nameserver"]
    return [server for server in found if _is_address(server)]


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
