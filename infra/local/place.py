"""The folder of a local cloud: who serves from it, at which addresses, and that it is one process alone."""

import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from infra.local.files import put

_RECORD, _LOCK, _PORTS = "endpoint.json", "lock", "ports.json"
_READABLE = 0o644
_POLL = 0.05  # seconds; a lock that another process holds has no event to wait for
#: Tried first, so that the addresses of a new cloud are easy to remember.
USUAL = {"api": 8780, "front": 8781, "registry": 8782}


#: The Google providers' variables for the addresses of APIs, and what follows the host in each.
ENDPOINTS = {
    "ARTIFACT_REGISTRY": "v1/",
    "BILLING_BUDGETS": "v1/",
    "CLOUD_RUN_V2": "v2/",
    "IAM": "v1/",
    "IAM_BETA": "v1/",
    "LOGGING": "v2/",
    "MONITORING": "",
    "RESOURCE_MANAGER": "v1/",
    "SECRET_MANAGER": "v1/",
    "SERVICE_USAGE": "v1/",
    "STORAGE": "storage/v1/",
}


class Occupied(Exception):
    """Another process serves from this folder, or a port is taken; the text says who or which."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A cloud that is serving: its process, and the addresses of its API, front proxy and registry."""

    pid: int
    endpoint: str
    front: str
    registry: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` wrote. Raises ValueError."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"no address of a cloud: {error}") from error

    @property
    def variables(self) -> dict[str, str]:
        """What Pulumi's and Terraform's Google providers need in their environment to come here."""
        return {
            f"GOOGLE_{name}_CUSTOM_ENDPOINT": f"{self.endpoint}/{path}" for name, path in ENDPOINTS.items()
        }

    def text(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


def default_state(environment: Mapping[str, str]) -> Path:
    """$SHIPWAY_CLOUD_STATE, or $SHIPWAY_STATE/cloud, or a folder in the user's cache."""
    if given := environment.get("SHIPWAY_CLOUD_STATE"):
        return Path(given)
    if given := environment.get("SHIPWAY_STATE"):
        return Path(given) / "cloud"
    cache = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "shipway" / "cloud"


def running(state: Path) -> Endpoint | None:
    """The cloud that serves from a folder, if one does."""
    try:
        with (state / _LOCK).open("rb") as lock:
            if _lock(lock.fileno()):
                return None
        return Endpoint.parse((state / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the folder, made if missing, for this process; a killed one lets go of it. Raises Occupied."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state / _LOCK).open("ab") as lock:
        if not _lock(lock.fileno()):
            other = running(state)
            who = (
                f"at {other.endpoint} (process {other.pid})" if other else "and is just starting or stopping"
            )
            raise Occupied(
                f"a local cloud serves from {state} already, {who}. "
                "Stop it with `python -m infra.local down`, or choose another folder with --state."
            )
        with suppress(FileNotFoundError):
            (state / _RECORD).unlink()
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                (state / _RECORD).unlink()


def announce(state: Path, endpoint: Endpoint) -> None:
    """Let other processes find the cloud that serves from a folder."""
    put(state / _RECORD, endpoint.text().encode(), mode=_READABLE)


def stop(endpoint: Endpoint, state: Path, patience: float) -> bool:
    """Ask a cloud to end and wait for it, `patience` seconds at most; whether it has ended."""
    with suppress(ProcessLookupError):
        os.kill(endpoint.pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while running(state) is not None:
        if time.monotonic() > until:
            return False
        time.sleep(_POLL)
    return True


def listen(state: Path, what: str, host: str, port: int) -> socket.socket:
    """A listening socket for the API, the front proxy or the registry: `what` is a key of USUAL.

    With `port` 0 it is the one of last time, since addresses of services have it in them; a new folder gets
    the usual one if it is free. Raises Occupied.
    """
    known = _known(state)
    wanted = port or known.get(what, 0)
    listener = _bind(host, wanted or USUAL[what])
    if listener is None and wanted:
        flag = "--port" if what == "api" else f"--{what}-port"
        why = "" if port else f", which addresses in {state} have in them,"
        raise Occupied(
            f"port {wanted}{why} is taken by another program. Stop that program, or give {flag} another one."
        )
    listener = listener or _bind(host, 0)
    if listener is None:
        raise Occupied(f"no port can be listened on at {host}. Give --host an address of this machine.")
    chosen = {**known, what: listener.getsockname()[1]}
    if chosen != known:
        put(state / _PORTS, json.dumps(chosen).encode(), mode=_READABLE)
    return listener


def _bind(host: str, port: int) -> socket.socket | None:
    # Without its protocol said, asyncio does not know that this is TCP, and leaves Nagle's algorithm on.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(4096)
    except OSError:
        listener.close()
        return None
    listener.settimeout(0)
    return listener


def _known(state: Path) -> dict[str, int]:
    try:
        known: Any = json.loads((state / _PORTS).read_text(encoding="utf-8"))
        return {str(what): int(port) for what, port in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
