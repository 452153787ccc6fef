"""A service as a value, and as it runs: who it is, who uses it, how it ended.

A service has a network of its own, so that two may use the same port. Each port it listens on is also
open on a loopback address of the host that is the service's alone (127.x.y.z); whoever is bound to
the service finds that address under its alias. Services find each other on a network between them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import anyio

from ci.engine import sandbox
from ci.engine.errors import EngineError, ExecError
from ci.engine.events import Stream
from ci.engine.graph.container import Container, Port
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.serving.healthcheck import HealthCheck
from ci.engine.graph.steps.execution import Exec

_LOG_TAIL = 16 * 1024
_HOSTNAME = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")


@dataclass(frozen=True)
class Service(Digested):
    """A service: a container's process, or a way to the host's ports (``upstream``) or from (``tunnelled``).

    ``forwards`` are (port to open, port it leads to, protocol); port 0 stands for a free one.
    """

    step: Exec | None
    container: Container | None = None
    ports: tuple[Port, ...] = ()
    alias: str = ""
    upstream: str = ""
    tunnelled: Service | None = None
    forwards: tuple[tuple[int, int, str], ...] = ()

    @property
    def hostname(self) -> str:
        """The name that steps find it under."""
        return self.alias or hashlib.sha256(self.digest.encode()).hexdigest()[:13]

    @property
    def check(self) -> HealthCheck | None:
        """The health check of its container; EngineError when that makes no sense."""
        return HealthCheck.from_json(self.container.config.healthcheck) if self.container else None


def named(service: Service, aliases: Iterable[str]) -> str:
    """A service as Dagger's errors name it: its hostname with the aliases it is bound under."""
    joined = ", ".join(sorted(alias for alias in aliases if alias))
    return f"{service.hostname} (aliased as {joined})" if joined else f"{service.hostname} (no aliases)"


class Running:
    """A service under way."""

    def __init__(self, service: Service, address: str) -> None:
        self.service = service
        self.address = address
        self.hostname = service.hostname
        self.started = anyio.Event()
        self.ended = anyio.Event()
        self.stopping = anyio.Event()
        self.users = 0
        self.pinned = False
        #: Whether it was started for all of the session, not for those alone who are bound to it.
        self.public = False
        self.process: sandbox.Process | None = None
        self.spec: sandbox.Spec | None = None
        self.exit_code: int | None = None
        self.error: EngineError | None = None
        self.opened: tuple[Port, ...] = ()
        self.reached = frozenset[int]()
        #: Where other services find it: they are on a network between services, if the kernel has one.
        self.inner = address
        self._printed: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}

    @property
    def alive(self) -> bool:
        """Whether it has started and not ended."""
        return self.started.is_set() and not self.ended.is_set()

    def note(self, stream: Stream, data: bytes) -> None:
        """Keep the end of what the service prints, for errors."""
        self._printed[stream] = (self._printed[stream] + data)[-_LOG_TAIL:]

    def failure(self) -> EngineError:
        """Why it did not start."""
        if self.error is not None:
            return self.error
        if not self.exit_code or self.service.step is None:
            return EngineError("service exited before healthcheck")
        stdout, stderr = (self._printed[stream].decode(errors="replace") for stream in ("stdout", "stderr"))
        return ExecError(self.service.step.args, self.exit_code, stdout, stderr, stripped=False)

    def exited(self, aliases: Iterable[str]) -> EngineError:
        """The error for those who were using it when it ended, with the last that it printed."""
        message = f"bound service {named(self.service, aliases)} exited"
        if self.error is not None:
            return EngineError(f"{message}: {self.error}")
        if self.exit_code:
            message += f": exit code: {self.exit_code}"
        log = b"".join(self._printed.values()).decode(errors="replace").strip()
        return EngineError(f"{message}\n{log}" if log else message)


def valid_hostname(name: str) -> bool:
    """Whether a name may stand for a service in /etc/hosts."""
    return bool(_HOSTNAME.fullmatch(name)) and len(name) <= 253
